package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

// rollOut makes a change, shows the progress of the nodes, and then the result.
func (in *invocation) rollOut(ctx context.Context, do func(context.Context, *adminclient.Client, adminapi.Change) (adminapi.Rollout, error)) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	change := in.change()
	if change.DryRun && change.Wait() > 0 {
		return usagef("--wait and --dry-run are mutually exclusive")
	}
	var made adminapi.Rollout
	err = in.during(ctx, client, change.Wait(), func() error {
		made, err = do(ctx, client, change)
		return err
	})
	if err != nil {
		return err
	}
	if change.DryRun {
		return in.show(shownTrial{made.Release, made.Changed, made.Changes}, func(w io.Writer) error { return writeTrial(w, made) })
	}
	if err := in.show(shownRollout{made.Release, made.Nodes}, func(w io.Writer) error { return writeRollout(w, in.look(), made) }); err != nil {
		return err
	}
	stuck := in.warnOfProblems(ctx, client, change.Wait())
	if err := in.complete(change.Wait(), fmt.Sprintf("release %d", made.Release), made.Nodes); err != nil {
		return err // it names the nodes
	}
	return stuck
}

// shownRollout is the JSON form that scripts know.
type shownRollout struct {
	Release uint64                `json:"release"`
	Nodes   []adminapi.NodeResult `json:"nodes"`
}

// shownTrial is that of a dry run.
type shownTrial struct {
	Release uint64   `json:"release"`
	Changed bool     `json:"changed"`
	Changes []string `json:"changes"`
}

func writeTrial(w io.Writer, made adminapi.Rollout) error {
	if len(made.Changes) == 0 {
		made.Changes = []string{fmt.Sprintf("no changes to release %d", made.Release)}
	}
	for _, change := range made.Changes {
		if _, err := fmt.Fprintln(w, printable(change)); err != nil {
			return err
		}
	}
	return nil
}

func writeRollout(w io.Writer, l look, made adminapi.Rollout) error {
	text := "release %d\n"
	if !made.Changed {
		text = "no change, current release is %d\n"
	}
	_, _ = fmt.Fprintf(w, text, made.Release)
	return writeResults(w, l, made.Nodes)
}

func resultColumns() []column[adminapi.NodeResult] {
	return []column[adminapi.NodeResult]{
		{name: "node", text: func(n adminapi.NodeResult) string { return n.Node }},
		{name: "state", text: func(n adminapi.NodeResult) string { return n.State }, tint: func(n adminapi.NodeResult) tint { return stateTint(n.State) }},
		{name: "ms", text: func(n adminapi.NodeResult) string { return integer(n.MS) }, number: true},
		{name: "reason", text: func(n adminapi.NodeResult) string { return n.Reason }},
	}
}

func writeResults(w io.Writer, l look, nodes []adminapi.NodeResult) error {
	if len(nodes) == 0 {
		return nil
	}
	return writeTable(w, l, nodes, resultColumns())
}

// complete returns an error if some node had not applied the change when the wait ended.
func (in *invocation) complete(wait time.Duration, what string, nodes []adminapi.NodeResult) error {
	if wait == 0 {
		return nil
	}
	if len(nodes) == 0 && in.format() == formatTable {
		_, _ = fmt.Fprintln(in.opts.Stderr, "gatewayctl: no live node; nodes apply "+what+" when they start")
	}
	var late []string
	for _, n := range nodes {
		switch n.State {
		case adminapi.Applied:
		case adminapi.Rejected:
			late = append(late, fmt.Sprintf("%s rejected it: %s", n.Node, n.Reason))
		default:
			late = append(late, fmt.Sprintf("%s is %s after %s", n.Node, n.State, wait))
		}
	}
	if len(late) == 0 {
		return nil
	}
	return &incompleteError{fmt.Sprintf("%s was not applied on %d of %d nodes: %s", what, len(late), len(nodes), strings.Join(late, "; "))}
}

func stateTint(state string) tint {
	switch state {
	case adminapi.Applied, adminapi.Live, "ok", "connected":
		return good
	case adminapi.Pending, "none":
		return doubt
	}
	return bad
}

func decimal(x float64) string          { return strconv.FormatFloat(x, 'f', -1, 64) }
func integer[T int | int64](n T) string { return strconv.FormatInt(int64(n), 10) }
func natural(n uint64) string           { return strconv.FormatUint(n, 10) }
