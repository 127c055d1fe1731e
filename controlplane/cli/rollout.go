package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

// rollOut makes a change, tells meanwhile how far the nodes are, and shows
// what came of it.
func (in *invocation) rollOut(ctx context.Context, change func(context.Context, *adminclient.Client, time.Duration) (adminclient.Rollout, error)) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	wait, err := in.wait()
	if err != nil {
		return err
	}
	var made adminclient.Rollout
	err = in.during(ctx, client, wait, func() error {
		made, err = change(ctx, client, wait)
		return err
	})
	if err != nil {
		return err
	}
	err = in.show(made, func(w io.Writer) error {
		_, _ = fmt.Fprintf(w, "release %d\n", made.Release)
		return writeResults(w, in.colour(), made.Nodes)
	})
	if err != nil {
		return err
	}
	return in.complete(wait, made)
}

func resultColumns() []column[adminclient.NodeResult] {
	return []column[adminclient.NodeResult]{
		{name: "node", text: func(n adminclient.NodeResult) string { return n.Node }},
		{name: "state", text: func(n adminclient.NodeResult) string { return n.State }, tint: func(n adminclient.NodeResult) tint { return stateTint(n.State) }},
		{name: "ms", text: func(n adminclient.NodeResult) string { return decimal(n.MS) }, number: true},
		{name: "reason", text: func(n adminclient.NodeResult) string { return n.Reason }},
	}
}

func writeResults(w io.Writer, colour bool, nodes []adminclient.NodeResult) error {
	if len(nodes) == 0 {
		return nil
	}
	return writeTable(w, colour, nodes, resultColumns())
}

// complete is an error if a wait ended too early for some node.
func (in *invocation) complete(wait time.Duration, made adminclient.Rollout) error {
	if wait == 0 {
		return nil
	}
	if len(made.Nodes) == 0 {
		_, _ = fmt.Fprintln(in.opts.Stderr, "gatewayctl: no node is live; each takes the release when it comes")
		return nil
	}
	var late []string
	for _, n := range made.Nodes {
		switch n.State {
		case adminclient.Applied:
		case adminclient.Rejected:
			late = append(late, fmt.Sprintf("%s rejected it: %s", n.Node, n.Reason))
		default:
			late = append(late, fmt.Sprintf("%s is %s after %s", n.Node, n.State, wait))
		}
	}
	if len(late) == 0 {
		return nil
	}
	return &incompleteError{fmt.Sprintf("release %d is not on %d of %d nodes: %s", made.Release, len(late), len(made.Nodes), strings.Join(late, "; "))}
}

func stateTint(state string) tint {
	switch state {
	case adminclient.Applied, adminclient.Live, "ok", "connected":
		return good
	case adminclient.Pending, "none":
		return doubt
	}
	return bad
}

func decimal(x float64) string        { return strconv.FormatFloat(x, 'f', -1, 64) }
func whole[T int | int64](n T) string { return strconv.FormatInt(int64(n), 10) }
func natural(n uint64) string         { return strconv.FormatUint(n, 10) }
