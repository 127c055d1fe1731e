package cli

import (
	"context"
	"io"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func endpointsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "endpoints", Aliases: []string{"endpoint"}, Usage: "show the state of endpoints; disable and enable them",
		Description: help("", "gatewayctl endpoints list", "gatewayctl endpoints disable demo:demo-api --reason 'new disk' --wait"),
		Subcommands: []*urfave.Command{
			{
				Name: "list", Usage: "show the state of each endpoint, per node where they differ", ArgsUsage: "[MODEL]",
				Description: help("An endpoint is up (on all live nodes), partly up, down (on no node), off (weight 0) or disabled. Each node\n"+
					"where it is not healthy has a line with the reason and the time of the next attempt.",
					"gatewayctl endpoints list", "gatewayctl endpoints list --out", "gatewayctl endpoints list demo -o json"),
				Flags:  []urfave.Flag{&urfave.BoolFlag{Name: "out", Usage: "only endpoints that are not up, and entries of the configuration files that are skipped because a variable is not set"}},
				Action: run(endpoints), BashComplete: completer(suggestModel),
			},
			{
				Name: "disable", Usage: "take endpoints out of service until they are enabled", ArgsUsage: "ENDPOINT...",
				Description: help("ENDPOINT is the full id, MODEL:ENDPOINT. The endpoint keeps its weight and stays disabled across restarts and\n"+
					"changes to the files. Requests in flight are not interrupted.",
					"gatewayctl endpoints disable demo:demo-api --reason 'new disk' --wait"),
				Flags: changeFlags(), Action: run(disableEndpoints), BashComplete: completer(suggestEndpointID),
			},
			{
				Name: "enable", Usage: "put disabled endpoints back into service", ArgsUsage: "ENDPOINT...",
				Description: help("", "gatewayctl endpoints enable demo:demo-api --wait"),
				Flags:       changeFlags(), Action: run(enableEndpoints), BashComplete: completer(suggestEndpointID),
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

func (in *invocation) switchEndpoints(ctx context.Context, do func(*adminclient.Client, context.Context, adminapi.EndpointSwitch) (adminapi.Rollout, error)) error {
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, change adminapi.Change) (adminapi.Rollout, error) {
		return do(client, ctx, adminapi.EndpointSwitch{Change: change, Endpoints: in.args})
	})
}

// endpointLine is a line of the table: an endpoint, or what one node says of it.
type endpointLine struct {
	adminapi.Endpoint
	trouble adminapi.Trouble
}

func endpoints(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Endpoints(ctx, adminapi.EndpointQuery{Model: in.first(), Out: in.Bool("out")})
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
		return writeTable(w, in.look(), lines, endpointColumns())
	})
}

func endpointColumns() []column[endpointLine] {
	return []column[endpointLine]{
		{name: "model", text: func(l endpointLine) string { return l.Model }},
		{name: "endpoint", text: func(l endpointLine) string { return l.Endpoint.Endpoint }},
		{name: "weight", spare: true, text: func(l endpointLine) string { return decimal(l.Weight) }, number: true},
		{name: "state", text: func(l endpointLine) string { return l.State }, tint: func(l endpointLine) tint { return endpointTint(l.State) }},
		{name: "node", text: func(l endpointLine) string { return l.trouble.Node }},
		{name: "node_state", spare: true, text: func(l endpointLine) string { return l.trouble.State }},
		{name: "until", spare: true, text: func(l endpointLine) string { return clock(l.trouble.UntilMS) }},
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
