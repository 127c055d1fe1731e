package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

func diffReleases(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	from, to, err := in.twoReleases()
	if err != nil {
		return err
	}
	c, err := client.Diff(ctx, from, to)
	if err != nil {
		return err
	}
	return in.show(c, func(w io.Writer) error { return writeComparison(w, c) })
}

// twoReleases returns from 0 if only one is named.
func (in *invocation) twoReleases() (from, to uint64, err error) {
	for _, arg := range in.args {
		from = to
		if to, err = numberArgument("RELEASE", arg); err != nil {
			return 0, 0, err
		}
	}
	return from, to, nil
}

func writeComparison(w io.Writer, c adminapi.Comparison) error {
	if len(c.Changes) == 0 {
		_, err := fmt.Fprintf(w, "releases %d and %d are the same\n", c.From, c.To)
		return err
	}
	for _, change := range c.Changes {
		if _, err := fmt.Fprintln(w, printable(change)); err != nil {
			return err
		}
	}
	return nil
}
