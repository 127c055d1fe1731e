package cli

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func weightsCommand() *command {
	return &command{
		name: "weights", about: "show and move the traffic between a model's endpoints",
		examples: []string{"gatewayctl weights show demo", "gatewayctl weights set demo demo-api=0.8 --wait"},
		subs: []*command{
			{
				name: "show", about: "list the weights of a model, or of all", args: "[MODEL]",
				details:  "SHARE is the weight's part of the model's traffic. OVERRIDE marks the weights that replace the CONFIGURED one.",
				examples: []string{"gatewayctl weights show", "gatewayctl weights show demo -o json"},
				run:      showWeights, suggest: suggestModel,
			},
			{
				name: "set", about: "give endpoints of a model another weight", args: "MODEL ENDPOINT=WEIGHT...",
				details: "A weight is a number such as 0.8; 0 takes the endpoint out. The endpoints of the model that are not\n" +
					"named keep theirs. An endpoint is named by its id, or by the part of it after the colon. The weights last\n" +
					"until they are set again or reset, through restarts and new files.",
				examples: []string{
					"gatewayctl weights set demo demo-api=0.8",
					"gatewayctl weights set demo demo:demo-api=1 --wait --reason 'night shift'",
					"gatewayctl weights set demo demo-api=0.5 --wait 5s -o json",
				},
				flags: changeFlags(),
				run:   setWeights, suggest: suggestEndpoint,
			},
			{
				name: "reset", about: "go back to the configured weights of a model, or of all", args: "[MODEL]",
				examples: []string{"gatewayctl weights reset demo --reason 'incident is over'", "gatewayctl weights reset --all --wait"},
				flags:    append(changeFlags(), flag{name: "all", takes: takesNothing, about: "reset the weights of all models"}),
				run:      resetWeights, suggest: suggestModel,
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
	return list(in, rows, []column[adminclient.Weight]{
		{name: "model", text: func(x adminclient.Weight) string { return x.Model }},
		{name: "endpoint", text: func(x adminclient.Weight) string { return x.Endpoint }},
		{name: "weight", text: func(x adminclient.Weight) string { return decimal(x.Weight) }, number: true},
		{name: "share", text: func(x adminclient.Weight) string { return x.Share }, number: true},
		{name: "configured", text: func(x adminclient.Weight) string { return decimal(x.Configured) }, number: true},
		{name: "disabled", text: func(x adminclient.Weight) string { return yes(x.Disabled) }},
		{name: "override", text: func(x adminclient.Weight) string { return yes(x.Override) }, tint: func(x adminclient.Weight) tint {
			if x.Override {
				return doubt
			}
			return plain
		}},
	})
}

func setWeights(ctx context.Context, in *invocation) error {
	weights, err := parseWeights(in.args[1:])
	if err != nil {
		return err
	}
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, change adminclient.Change) (adminclient.Rollout, error) {
		return client.SetWeights(ctx, adminclient.WeightChange{Change: change, Model: in.args[0], Weights: weights})
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
			return nil, usagef("weights set: the weight of %s must be a number from 0 on, such as 0.8, got %q", endpoint, text)
		}
		if _, twice := weights[endpoint]; twice {
			return nil, usagef("weights set: %s stands there twice", endpoint)
		}
		weights[endpoint] = weight
	}
	return weights, nil
}

func resetWeights(ctx context.Context, in *invocation) error {
	model, all := in.first(), in.on("all")
	if (model == "") != all {
		return usagef("weights reset takes a MODEL or --all")
	}
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, change adminclient.Change) (adminclient.Rollout, error) {
		return client.ResetWeights(ctx, adminclient.WeightReset{Change: change, Model: model})
	})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
