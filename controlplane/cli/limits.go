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

const holderHelp = "A holder is key:ID, user:NAME, team:NAME or model:ID, or the name alone where only one of them has it; without one it is the gateway.\n"

func limitsCommand() *urfave.Command {
	change := []urfave.Flag{reasonFlag(), waitFlag()}
	return &urfave.Command{
		Name: "limits", Usage: "show and change limits of keys, users, teams, models and the gateway",
		Description: help("All limits that match a request apply.", "gatewayctl limits show", "gatewayctl limits set search --rpm 600"),
		Subcommands: []*urfave.Command{
			{
				Name: "show", Usage: "show limits and how much of them is used", ArgsUsage: "[HOLDER]",
				Description: help(holderHelp+"For a key, the limits of its user, its team and the gateway are shown, too, and for a model those of its endpoints' providers, which models.yaml sets (endpoint:ID for one). Without a holder, all limits are. "+
					"Used is what counts in the window, leased what nodes hold ahead of use. State is ok, spent, learning (what was used before a loss of NATS is being found out) or outage: no daemon grants, with what nodes do then.",
					"gatewayctl limits show", "gatewayctl limits show search -o json"),
				Action: run(showLimits), BashComplete: completer(suggestHolder),
			},
			{
				Name: "set", Usage: "set some limits of a holder; its others stay", ArgsUsage: "[HOLDER]",
				Description: help(holderHelp+"Numbers may end in k, M or G, budgets are in USD, and none removes a limit.",
					"gatewayctl limits set search --tpm 2M --budget 500 --reset monthly",
					"gatewayctl limits set user:alice --rpm 60 --model demo --reason 'load tests'",
					"gatewayctl limits set --concurrency 200 --provider zhipu"),
				Flags: slices.Concat([]urfave.Flag{
					textFlag("model", "the limits apply to `MODEL` only", "all models"),
					textFlag("provider", "the limits apply to `PROVIDER` only", "all providers"),
					choiceFlag("on-outage", "`WHAT` nodes do when no daemon grants: closed, open or share", "closed for budgets, else share", wire.LimitOutages()...),
				}, limitFlags(), change),
				Action: run(setLimits), BashComplete: completer(suggestHolder),
			},
			{
				Name: "clear", Usage: "remove limits of a holder", ArgsUsage: "[HOLDER]",
				Description: help(holderHelp, "gatewayctl limits clear search --kind budget --reason 'end of the pilot'", "gatewayctl limits clear user:alice --model demo"),
				Flags: append([]urfave.Flag{
					choiceFlag("kind", "only limits of `KIND`: "+strings.Join(wire.LimitKinds(), ", "), "all", wire.LimitKinds()...),
					textFlag("model", "only limits for `MODEL`", "all"),
					textFlag("provider", "only limits for `PROVIDER`", "all"),
				}, change...),
				Action: run(clearLimits), BashComplete: completer(suggestHolder),
			},
		},
	}
}

// limitFlags are one for each kind of limit, and a budget's period.
func limitFlags() []urfave.Flag {
	usages := map[string]string{
		wire.LimitRPM: "at most `N` requests per minute", wire.LimitRPD: "at most `N` requests per day", wire.LimitTPM: "at most `N` tokens per minute, such as 2M",
		wire.LimitTPD: "at most `N` tokens per day", wire.LimitConcurrency: "at most `N` requests in flight", wire.LimitBudget: "spend at most `USD` per --reset",
	}
	var flags []urfave.Flag
	for _, kind := range wire.LimitKinds() {
		flags = append(flags, limitFlag(kind, usages[kind]))
	}
	parse := func(text string) (string, error) {
		period, err := wire.ParseReset(text)
		if err != nil {
			return "", shorter{err, "reset: "}
		}
		return period, nil
	}
	words := []string{"daily", "weekly", "monthly", "total"}
	return append(flags, &urfave.GenericFlag{
		Name: "reset", Usage: "`PERIOD` of --budget: daily, weekly (from Monday), monthly or total", Value: &parsed[string]{parse: parse, words: words},
	})
}

// limitFlag takes the value of a limit, or none.
func limitFlag(kind, usage string) urfave.Flag {
	parse := func(text string) (string, error) {
		if text == "none" {
			return text, nil
		}
		value, err := wire.ParseLimitValue(kind, text)
		if err == nil && kind != wire.LimitBudget {
			err = (&wire.Limit{Kind: kind, Value: value}).Check()
		}
		if err != nil {
			return "", shorter{err, kind + ": "}
		}
		return text, nil
	}
	return &urfave.GenericFlag{Name: kind, Usage: usage, Value: &parsed[string]{parse: parse}}
}

// shorter is an error without its prefix, which the flag's name says.
type shorter struct {
	err    error
	prefix string
}

func (s shorter) Error() string { return strings.TrimPrefix(s.err.Error(), s.prefix) }

// limits returns the limits that the flags describe.
func (in *invocation) limits() ([]adminapi.Limit, error) {
	var list []adminapi.Limit
	reset := valueOf(in, "reset", "")
	for _, kind := range wire.LimitKinds() {
		value := valueOf(in, kind, "")
		if value == "" {
			continue
		}
		l := adminapi.Limit{Kind: kind, Value: value, Model: in.text("model"), Provider: in.text("provider"), OnOutage: valueOf(in, "on-outage", "")}
		if kind == wire.LimitBudget {
			l.Reset = reset
			if reset == "" && value != "none" {
				return nil, usagef("%s: --budget needs --reset: daily, weekly, monthly or total", title(in.Context))
			}
		}
		list = append(list, l)
	}
	if reset != "" && !in.IsSet(wire.LimitBudget) {
		return nil, usagef("%s: --reset is the period of --budget, which is missing", title(in.Context))
	}
	return list, nil
}

func showLimits(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := adminclient.Call(ctx, client, adminapi.ListLimits(), adminapi.LimitQuery{Of: in.first()})
	if err != nil {
		return err
	}
	return list(in, rows, limitColumns(in.first() != ""))
}

func setLimits(ctx context.Context, in *invocation) error {
	limits, err := in.limits()
	if err != nil {
		return err
	}
	if len(limits) == 0 {
		return usagef("limits set: nothing to set; give at least one of --%s", strings.Join(wire.LimitKinds(), ", --"))
	}
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.ChangedLimits, keyOutcome, error) {
		out, err := adminclient.Call(ctx, client, adminapi.SetLimits(), adminapi.LimitChange{KeyChange: change, Of: in.first(), Limits: limits})
		return out, limitOutcome(out), err
	})
}

func clearLimits(ctx context.Context, in *invocation) error {
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.ChangedLimits, keyOutcome, error) {
		out, err := adminclient.Call(ctx, client, adminapi.ClearLimits(), adminapi.LimitRemoval{KeyChange: change, Of: in.first(), Kind: valueOf(in, "kind", ""), Model: in.text("model"), Provider: in.text("provider")})
		return out, limitOutcome(out), err
	})
}

func suggestHolder(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) > 0 {
		return nil
	}
	teams, _ := adminclient.Call(ctx, client, adminapi.ListTeams(), adminapi.None{})
	names := each(teams, func(t adminapi.Team) string { return t.Name })
	return append(names, append(suggestKey(ctx, client, nil), suggestModel(ctx, client, nil)...)...)
}
