package cli

import (
	"context"
	"io"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func endpointsCommand() *command {
	return &command{
		name: "endpoints", about: "show how each endpoint is, at which node, and why", args: "[MODEL]",
		details: "An endpoint is up at all live nodes, partly at some, down at none, or off: without weight. A line for each node that is not\n" +
			"content with it says why, and when the endpoint is tried again there.",
		examples: []string{"gatewayctl endpoints", "gatewayctl endpoints demo", "gatewayctl endpoints -o json"},
		run:      endpoints, suggest: suggestModel,
	}
}

// endpointLine is a line of the table: an endpoint, or what one node says of it.
type endpointLine struct {
	adminclient.Endpoint
	trouble adminclient.Trouble
}

func endpoints(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Endpoints(ctx, in.first())
	if err != nil {
		return err
	}
	return in.show(rows, func(w io.Writer) error {
		var lines []endpointLine
		for _, e := range rows {
			if len(e.Nodes) == 0 {
				lines = append(lines, endpointLine{Endpoint: e})
			}
			for _, t := range e.Nodes {
				lines = append(lines, endpointLine{Endpoint: e, trouble: t})
			}
		}
		return writeTable(w, in.colour(), lines, endpointColumns())
	})
}

func endpointColumns() []column[endpointLine] {
	return []column[endpointLine]{
		{name: "model", text: func(l endpointLine) string { return l.Model }},
		{name: "endpoint", text: func(l endpointLine) string { return l.Endpoint.Endpoint }},
		{name: "weight", text: func(l endpointLine) string { return decimal(l.Weight) }, number: true},
		{name: "state", text: func(l endpointLine) string { return l.State }, tint: func(l endpointLine) tint { return endpointTint(l.State) }},
		{name: "node", text: func(l endpointLine) string { return l.trouble.Node }},
		{name: "there", text: func(l endpointLine) string { return l.trouble.State }},
		{name: "until", text: func(l endpointLine) string { return clock(l.trouble.UntilMS) }},
		{name: "reason", text: func(l endpointLine) string { return l.trouble.Reason }},
	}
}

func endpointTint(state string) tint {
	switch state {
	case "up":
		return good
	case "partly":
		return doubt
	case "off":
		return plain
	}
	return bad
}

// clock writes milliseconds since 1970 as a time, nothing for 0.
func clock(ms int64) string {
	if ms == 0 {
		return ""
	}
	return stamp(time.UnixMilli(ms))
}
