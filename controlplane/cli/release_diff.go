package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/hybridinference/gateway/controlplane/compile"
)

// comparison is what releases diff prints.
type comparison struct {
	From    uint64   `json:"from"`
	To      uint64   `json:"to"`
	Changes []string `json:"changes"`
}

func diffReleases(ctx context.Context, in *invocation) error {
	first, err := parseRelease("RELEASE", in.args[0])
	if err != nil {
		return err
	}
	second, err := in.secondRelease(ctx)
	if err != nil {
		return err
	}
	from, _, err := in.release(ctx, first)
	if err != nil {
		return err
	}
	to, _, err := in.release(ctx, second)
	if err != nil {
		return err
	}
	c := comparison{From: first, To: second, Changes: append([]string{}, compile.Diff(&from.Snapshot, &to.Snapshot)...)}
	return in.show(c, func(w io.Writer) error {
		if len(c.Changes) == 0 {
			_, _ = fmt.Fprintf(w, "releases %d and %d route alike\n", c.From, c.To)
		}
		for _, change := range c.Changes {
			_, _ = fmt.Fprintln(w, printable(change))
		}
		return nil
	})
}

// secondRelease is the number in the second argument, or the current one.
func (in *invocation) secondRelease(ctx context.Context) (uint64, error) {
	if text := in.arg(1); text != "" {
		return parseRelease("RELEASE", text)
	}
	client, err := in.client()
	if err != nil {
		return 0, err
	}
	s, err := client.Status(ctx)
	return s.Release, err
}
