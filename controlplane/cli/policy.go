package cli

import (
	"context"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/shared/wire"
)

func policyCommand() *urfave.Command {
	return &urfave.Command{
		Name: "policy", Usage: "show and change how a model's endpoints are chosen",
		Description: help("", "gatewayctl policy show demo", "gatewayctl policy set demo latency --wait"),
		Subcommands: []*urfave.Command{
			{
				Name: "show", Usage: "list the policies of one model or of all models", ArgsUsage: "[MODEL]",
				Description: help("OVERRIDE marks models whose policy or affinity replaces the CONFIGURED one.",
					"gatewayctl policy show", "gatewayctl policy show demo -o json"),
				Action: run(showPolicies), BashComplete: completer(suggestModel),
			},
			{
				Name: "set", Usage: "override a model's policy or affinity", ArgsUsage: "MODEL [POLICY]",
				Description: help("POLICY is one of:\n"+
					"  weighted    at random, by weight\n"+
					"  priority    the lowest priority that has an endpoint with room, by weight within it\n"+
					"  least_busy  the less busy of two\n"+
					"  latency     the faster of two to the first token\n"+
					"  cost        the cheapest for the request\n"+
					"Affinity keeps requests at the endpoint that has their prompt cached. Overrides last until they are set again or\n"+
					"reset, across restarts and changes to the files.",
					"gatewayctl policy set demo least_busy",
					"gatewayctl policy set demo latency --affinity session --wait --reason 'one provider is slow'",
					"gatewayctl policy set demo --affinity none --dry-run"),
				Flags:  append(changeFlags(), choiceFlag("affinity", "`AFFINITY`: what keeps to one endpoint: requests of one session, prompts that begin alike (prefix), or none", "unchanged", wire.Affinities()...)),
				Action: run(setPolicy), BashComplete: completer(suggestPolicy),
			},
			{
				Name: "reset", Usage: "return to the configured policy of one model or of all models", ArgsUsage: "[MODEL]",
				Description: help("", "gatewayctl policy reset demo --reason 'incident is over'", "gatewayctl policy reset --all --wait"),
				Flags:       append(changeFlags(), switchFlag("all", "reset the policies of all models")),
				Action:      run(resetPolicy), BashComplete: completer(suggestModel),
			},
		},
	}
}

func showPolicies(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Policies(ctx, in.first())
	if err != nil {
		return err
	}
	return list(in, rows, []column[adminapi.Policy]{
		{name: "model", text: func(x adminapi.Policy) string { return x.Model }},
		{name: "policy", text: func(x adminapi.Policy) string { return x.Policy }},
		{name: "affinity", text: func(x adminapi.Policy) string { return x.Affinity }},
		{name: "configured", text: func(x adminapi.Policy) string { return x.ConfiguredPolicy + ", " + x.ConfiguredAffinity }},
		{name: "override", text: func(x adminapi.Policy) string { return yes(x.Override) }, tint: func(x adminapi.Policy) tint {
			if x.Override {
				return doubt
			}
			return plain
		}},
	})
}

func setPolicy(ctx context.Context, in *invocation) error {
	change := adminapi.PolicyChange{Model: in.args[0], Affinity: valueOf(in, "affinity", "")}
	if len(in.args) > 1 {
		change.Policy = in.args[1]
	}
	switch {
	case change.Policy == "" && change.Affinity == "":
		return usagef("policy set: POLICY or --affinity is required; POLICY is one of %s", strings.Join(wire.Policies(), ", "))
	case change.Policy != "" && !slices.Contains(wire.Policies(), change.Policy):
		return usagef("policy set: POLICY must be one of %s, got %q", strings.Join(wire.Policies(), ", "), change.Policy)
	}
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, common adminapi.Change) (adminapi.Rollout, error) {
		change.Change = common
		return client.SetPolicy(ctx, change)
	})
}

func resetPolicy(ctx context.Context, in *invocation) error {
	model, all := in.first(), in.Bool("all")
	if (model == "") != all {
		return usagef("policy reset: specify either MODEL or --all")
	}
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, change adminapi.Change) (adminapi.Rollout, error) {
		return client.ResetPolicy(ctx, adminapi.PolicyReset{Change: change, Model: model})
	})
}

func suggestPolicy(ctx context.Context, client *adminclient.Client, args []string) []string {
	switch len(args) {
	case 0:
		return suggestModel(ctx, client, args)
	case 1:
		return wire.Policies()
	}
	return nil
}
