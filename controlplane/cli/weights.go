package cli

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func weightsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "weights", Usage: "show and shift traffic between a model's endpoints",
		Description: help("", "gatewayctl weights show demo", "gatewayctl weights set demo demo-api=0.8 --wait"),
		Subcommands: []*urfave.Command{
			{
				Name: "show", Usage: "list the weights of one model or of all models", ArgsUsage: "[MODEL]",
				Description: help("SHARE is the endpoint's part of the model's traffic while all are up, SERVING its part at present: endpoints that are\n"+
					"down leave theirs to the others. OVERRIDE marks weights that replace the CONFIGURED one.",
					"gatewayctl weights show", "gatewayctl weights show demo -o json"),
				Action: run(showWeights), BashComplete: completer(suggestModel),
			},
			{
				Name: "set", Usage: "override weights of a model's endpoints", ArgsUsage: "MODEL ENDPOINT=WEIGHT...",
				Description: help("A weight is a number such as 0.8; 0 takes the endpoint out of service. Endpoints that are not named keep their\n"+
					"weights. ENDPOINT is an endpoint's id, or the part of it after the colon. Overrides last until they are set again\n"+
					"or reset, across restarts and changes to the files.",
					"gatewayctl weights set demo demo-api=0.8",
					"gatewayctl weights set demo demo:demo-api=1 --wait --reason 'night shift'",
					"gatewayctl weights set demo demo-api=0.5 --wait 5s -o json",
					"gatewayctl weights set demo demo-api=0.4 --dry-run"),
				Flags: changeFlags(), Action: run(setWeights), BashComplete: completer(suggestEndpoint),
			},
			{
				Name: "reset", Usage: "return to the configured weights of one model or of all models", ArgsUsage: "[MODEL]",
				Description: help("", "gatewayctl weights reset demo --reason 'incident is over'", "gatewayctl weights reset --all --wait"),
				Flags:       append(changeFlags(), switchFlag("all", "reset the weights of all models")),
				Action:      run(resetWeights), BashComplete: completer(suggestModel),
			},
		},
	}
}

func showWeights(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Weights(ctx, in.first())
	if err != nil {
		return err
	}
	columns := weightColumns()
	if slices.ContainsFunc(rows, func(x adminapi.Weight) bool { return x.Rollout != "" }) {
		columns = append(columns, column[adminapi.Weight]{name: "rollout", text: func(x adminapi.Weight) string { return x.Rollout }})
	}
	return list(in, rows, columns)
}

func weightColumns() []column[adminapi.Weight] {
	return []column[adminapi.Weight]{
		{name: "model", text: func(x adminapi.Weight) string { return x.Model }},
		{name: "endpoint", text: func(x adminapi.Weight) string { return x.Endpoint }},
		{name: "weight", text: func(x adminapi.Weight) string { return decimal(x.Weight) }, number: true},
		{name: "share", text: func(x adminapi.Weight) string { return x.Share }, number: true},
		{name: "serving", text: func(x adminapi.Weight) string { return x.Serving }, number: true},
		{name: "state", text: func(x adminapi.Weight) string { return x.State }, tint: func(x adminapi.Weight) tint { return endpointTint(x.State) }},
		{name: "configured", spare: true, text: func(x adminapi.Weight) string { return decimal(x.Configured) }, number: true},
		{name: "override", text: func(x adminapi.Weight) string { return yes(x.Override) }, tint: func(x adminapi.Weight) tint {
			if x.Override {
				return doubt
			}
			return plain
		}},
	}
}

func setWeights(ctx context.Context, in *invocation) error {
	weights, err := parseWeights(in.args[1:])
	if err != nil {
		return err
	}
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, change adminapi.Change) (adminapi.Rollout, error) {
		return client.SetWeights(ctx, adminapi.WeightChange{Change: change, Model: in.args[0], Weights: weights})
	})
}

// parseWeights reads ENDPOINT=WEIGHT. The last = counts: an id may hold others.
func parseWeights(args []string) (map[string]float64, error) {
	weights := map[string]float64{}
	for _, arg := range args {
		i := strings.LastIndexByte(arg, '=')
		if i < 1 {
			return nil, usagef("weights set: %q is not ENDPOINT=WEIGHT, such as demo-api=0.8", arg)
		}
		endpoint, text := arg[:i], arg[i+1:]
		weight, err := strconv.ParseFloat(text, 64)
		if err != nil || !(weight >= 0) || math.IsInf(weight, 0) {
			return nil, usagef("weights set: the weight of %s must be a non-negative number such as 0.8, got %q", endpoint, text)
		}
		if _, twice := weights[endpoint]; twice {
			return nil, usagef("weights set: duplicate endpoint %s", endpoint)
		}
		weights[endpoint] = weight
	}
	return weights, nil
}

func resetWeights(ctx context.Context, in *invocation) error {
	model, all := in.first(), in.Bool("all")
	if (model == "") != all {
		return usagef("weights reset: specify either MODEL or --all")
	}
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, change adminapi.Change) (adminapi.Rollout, error) {
		return client.ResetWeights(ctx, adminapi.WeightReset{Change: change, Model: model})
	})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
