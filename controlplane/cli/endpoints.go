package cli

import (
	"context"
	"io"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func endpointsCommand() *command {
	return &command{
		name: "endpoints", alias: "endpoint", about: "show how each endpoint is, at which node, and why; take endpoints out of service",
		examples: []string{"gatewayctl endpoints list", "gatewayctl endpoints disable demo:demo-api --reason 'new disk' --wait"},
		subs: []*command{
			{
				name: "list", about: "show how each endpoint is, at which node, and why", args: "[MODEL]",
				details: "An endpoint is up at all live nodes, partly at some, down at none, off without weight, or disabled. A line for each\n" +
					"node that is not content with it says why, and when the endpoint is tried again there.",
				examples: []string{"gatewayctl endpoints list", "gatewayctl endpoints list demo", "gatewayctl endpoints list -o json"},
				run:      endpoints, suggest: suggestModel,
			},
			{
				name: "disable", about: "take endpoints out of service until they are enabled", args: "ENDPOINT...",
				details: "An endpoint is named by its whole id, MODEL:ENDPOINT. It keeps its weight for later, stays disabled through restarts\n" +
					"and new files, and requests that are on their way there end undisturbed.",
				examples: []string{"gatewayctl endpoints disable demo:demo-api --reason 'new disk' --wait"},
				flags:    changeFlags(), run: disableEndpoints, suggest: suggestEndpointID,
			},
			{
				name: "enable", about: "put disabled endpoints back into service", args: "ENDPOINT...",
				examples: []string{"gatewayctl endpoints enable demo:demo-api --wait"},
				flags:    changeFlags(), run: enableEndpoints, suggest: suggestEndpointID,
			},
		},
	}
}

func disableEndpoints(ctx context.Context, in *invocation) error {
	return in.switchEndpoints(ctx, (*adminclient.Client).DisableEndpoints)
}

func enableEndpoints(ctx context.Context, in *invocation) error {
	return in.switchEndpoints(ctx, (*adminclient.Client).EnableEndpoints)
}

func (in *invocation) switchEndpoints(ctx context.Context, do func(*adminclient.Client, context.Context, adminclient.EndpointSwitch) (adminclient.Rollout, error)) error {
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, change adminclient.Change) (adminclient.Rollout, error) {
		return do(client, ctx, adminclient.EndpointSwitch{Change: change, Endpoints: in.args})
	})
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
	case "off", "disabled":
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
