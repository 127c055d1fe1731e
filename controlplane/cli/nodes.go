package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

func nodesCommand() *urfave.Command {
	return &urfave.Command{
		Name: "nodes", Usage: "list data-plane nodes, or show one", ArgsUsage: "[NODE]",
		Description: help("A node is live while its heartbeats arrive, stale when they stop, and gone after a clean shutdown or a long silence.\n"+
			"The USAGE columns count usage events since the node started; it keeps pending ones until the collector has stored them.",
			"gatewayctl nodes", "gatewayctl nodes node-1", "gatewayctl nodes list -o json"),
		Action: run(nodes), BashComplete: completer(suggestNode),
		Subcommands: []*urfave.Command{
			{Name: "list", Usage: "list data-plane nodes", Description: help("", "gatewayctl nodes list"), Action: run(nodes)},
			{Name: "show", Usage: "show one node", ArgsUsage: "NODE", Description: help("", "gatewayctl nodes show node-1"), Action: run(nodes), BashComplete: completer(suggestNode)},
		},
	}
}

func nodes(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	if id := in.first(); id != "" {
		n, err := client.Node(ctx, id)
		if err != nil {
			return err
		}
		return in.show(n, func(w io.Writer) error { return writeFields(w, in.look(), nodeFields(n)) })
	}
	rows, err := client.Nodes(ctx)
	if err != nil {
		return err
	}
	return in.show(rows, func(w io.Writer) error {
		if err := writeTable(w, in.look(), rows, nodeColumns()); err != nil {
			return err
		}
		return writeNodeNotes(w, rows)
	})
}

func nodeColumns() []column[adminapi.Node] {
	return []column[adminapi.Node]{
		{name: "node", text: func(n adminapi.Node) string { return n.Node }},
		{name: "state", text: nodeState, tint: func(n adminapi.Node) tint { return stateTint(n.State) }},
		{name: "version", spare: true, text: func(n adminapi.Node) string { return n.Version }},
		{name: "release", text: nodeRelease, number: true},
		{name: "release_state", spare: true, text: func(n adminapi.Node) string { return n.ReleaseState }, tint: func(n adminapi.Node) tint { return stateTint(n.ReleaseState) }},
		{name: "source", spare: true, text: func(n adminapi.Node) string { return n.Source }},
		{name: "in_flight", text: func(n adminapi.Node) string { return integer(n.InFlight) }, number: true},
		{name: "requests", spare: true, text: func(n adminapi.Node) string { return natural(n.Requests) }, number: true},
		{name: "usage_pending", spare: true, text: func(n adminapi.Node) string { return natural(n.UsagePending) }, number: true},
		{name: "usage_lost", text: func(n adminapi.Node) string { return natural(n.UsageLost) }, number: true, tint: lostTint},
		{name: "last_seen_ms", head: "LAST_SEEN", spare: true, text: func(n adminapi.Node) string { return span(n.LastSeenMS) }, number: true},
		{name: "uptime_s", head: "UPTIME", spare: true, text: func(n adminapi.Node) string { return span(1000 * n.UptimeS) }, number: true},
	}
}

func nodeState(n adminapi.Node) string {
	if n.Draining {
		return n.State + ",draining"
	}
	return n.State
}

// nodeRelease is what the node serves.
func nodeRelease(n adminapi.Node) string {
	if n.Canary > 0 {
		return fmt.Sprintf("%d (canary)", n.Canary)
	}
	return natural(n.Release)
}

func lostTint(n adminapi.Node) tint {
	if n.UsageLost > 0 {
		return bad
	}
	return plain
}

// span writes milliseconds in the one or two units that matter.
func span(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// writeNodeNotes prints what does not fit into a line of the table.
func writeNodeNotes(w io.Writer, rows []adminapi.Node) error {
	var notes []string
	for _, n := range rows {
		if n.Reason != "" {
			notes = append(notes, fmt.Sprintf("%s %s: %s", n.Node, n.ReleaseState, n.Reason))
		}
	}
	notes = append(notes, missingNotes(rows)...)
	for i, text := range notes {
		if i == 0 {
			_, _ = fmt.Fprintln(w)
		}
		if _, err := fmt.Fprintln(w, printable(text)); err != nil {
			return err
		}
	}
	return nil
}

// missingNotes has one line for each variable and the nodes that lack it, however
// many endpoints and nodes these are.
func missingNotes(rows []adminapi.Node) (notes []string) {
	lacking, out := map[string][]string{}, map[string][]string{}
	for _, n := range rows {
		for _, m := range n.MissingSecrets {
			if !slices.Contains(lacking[m.Variable], n.Node) {
				lacking[m.Variable] = append(lacking[m.Variable], n.Node)
			}
			if !slices.Contains(out[m.Variable], m.Endpoint) {
				out[m.Variable] = append(out[m.Variable], m.Endpoint)
			}
		}
	}
	for _, variable := range slices.Sorted(maps.Keys(lacking)) {
		lack, are := "lacks", "is"
		if len(lacking[variable]) > 1 {
			lack = "lack"
		}
		if len(out[variable]) > 1 {
			are = "are"
		}
		notes = append(notes, fmt.Sprintf("%s %s %s, so %s %s out of service there", strings.Join(lacking[variable], ", "), lack, variable, strings.Join(out[variable], ", "), are))
	}
	return notes
}

func nodeFields(n adminapi.Node) []field {
	fields := []field{
		{name: "node", text: n.Node},
		{name: "state", text: nodeState(n), tint: stateTint(n.State)},
		{name: "version", text: n.Version},
		{name: "release", text: nodeRelease(n)},
		{name: "release_state", text: n.ReleaseState, tint: stateTint(n.ReleaseState)},
		{name: "reason", text: n.Reason},
		{name: "source", text: n.Source},
		{name: "keys", text: natural(n.Keys)},
		{name: "in_flight", text: integer(n.InFlight)},
		{name: "requests", text: natural(n.Requests)},
		{name: "usage_issued", text: natural(n.UsageIssued)},
		{name: "usage_pending", text: natural(n.UsagePending)},
		{name: "usage_lost", text: natural(n.UsageLost), tint: lostTint(n)},
		{name: "last_seen", text: span(n.LastSeenMS)},
		{name: "uptime", text: span(1000 * n.UptimeS)},
		{name: "clock", text: skew(n.ClockSkewMS), tint: skewTint(n.ClockSkewMS)},
	}
	for _, m := range n.MissingSecrets {
		fields = append(fields, field{name: "missing_secret", text: m.Variable + " for " + m.Endpoint, tint: doubt})
	}
	return fields
}

// maxSkew is how far clocks may differ, in milliseconds, without a note: the
// heartbeat's travel time is included.
const maxSkew = 2000

func skew(ms int64) string {
	switch {
	case ms > maxSkew:
		return span(ms) + " ahead"
	case ms < -maxSkew:
		return span(-ms) + " behind"
	}
	return "right"
}

func skewTint(ms int64) tint {
	if skew(ms) == "right" {
		return plain
	}
	return doubt
}
