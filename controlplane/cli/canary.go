package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/controlplane/guard"
)

func canaryCommand() *urfave.Command {
	reason := []urfave.Flag{reasonFlag()}
	return &urfave.Command{
		Name: "canary", Aliases: []string{"canaries"}, Usage: "follow and end a configuration that a few nodes got first",
		Description: help("`gatewayctl apply --canary NODES` starts a canary. If its guard holds, all nodes get it. Any other change of the\n"+
			"configuration, weights, policies or endpoints ends it.",
			"gatewayctl canary status", "gatewayctl canary abort --reason 'wrong prices'"),
		Subcommands: []*urfave.Command{
			{
				Name: "status", Usage: "show canaries, the one that is running in detail",
				Description: help("", "gatewayctl canary status", "gatewayctl canary status -o json"),
				Action:      run(canaryStatus),
			},
			{
				Name: "promote", Usage: "give the canary's configuration to all nodes now",
				Description: help("", "gatewayctl canary promote --reason 'good enough'"),
				Flags:       reason, Action: run(endCanary(adminapi.PromoteCanary())),
			},
			{
				Name: "abort", Usage: "end the canary; its nodes return to what the others serve",
				Description: help("", "gatewayctl canary abort --reason 'wrong prices'"),
				Flags:       reason, Action: run(endCanary(adminapi.AbortCanary())),
			},
		},
	}
}

func canaryFlags() []urfave.Flag {
	return []urfave.Flag{
		textFlag("canary", "give the configuration to these `NODES` first, separated by commas, and to all if the guard holds", ""),
		parsedFlag("for", "with --canary: its nodes serve it for this `DURATION` at least", adminapi.DefaultCanaryFor, guard.ParseEvery),
		parsedFlag("guard", "with --canary: `CONDITIONS` that must hold, separated by commas, as for rollout start", guard.Default, guard.Parse),
		countFlag("min-requests", "with --canary: give it to all only after `N` requests, for each condition", adminapi.DefaultRolloutRequests, 1_000_000),
	}
}

// checkCanary refuses flags of apply that need --canary without it.
func (in *invocation) checkCanary() error {
	if in.IsSet("canary") {
		return nil
	}
	for _, name := range []string{"for", "guard", "min-requests"} {
		if in.IsSet(name) {
			return usagef("--%s needs --canary", name)
		}
	}
	return nil
}

// startCanary starts a canary with an application.
func (in *invocation) startCanary(ctx context.Context, client *adminclient.Client, a adminapi.Application) error {
	start := adminapi.CanaryStart{
		Application: a, Nodes: strings.Split(in.text("canary"), ","), For: in.given("for"), Guard: in.given("guard"),
		MinRequests: uint64(valueOf(in, "min-requests", 0)), //nolint:gosec // 0 or more
	}
	var made adminapi.CanaryResult
	err := in.during(ctx, client, a.Wait(), func() (err error) {
		made, err = adminclient.Call(ctx, client, adminapi.StartCanary(), start)
		return err
	})
	if err != nil {
		return asCanaryFlag(err)
	}
	err = in.show(made, func(w io.Writer) error {
		if err := in.writeApplied(w, true, made.ApplyResult); err != nil || made.Canary == nil {
			return err
		}
		_, err := fmt.Fprintf(w, "canary %s: release %d on %s for %s; `gatewayctl canary status` shows what becomes of it\n", made.Canary.ID, made.Release, printable(strings.Join(made.Canary.Nodes, ", ")), made.Canary.For)
		return err
	})
	if err != nil {
		return err
	}
	return in.complete(a.Wait(), fmt.Sprintf("canary %d", made.Release), made.Nodes)
}

// asCanaryFlag makes the daemon's refusal of a field a usage error about the flag.
func asCanaryFlag(err error) error {
	refused, ok := errors.AsType[*adminclient.Error](err)
	if !ok || refused.Status != http.StatusBadRequest {
		return err
	}
	name, rest, _ := strings.Cut(refused.Message, ": ")
	switch name {
	case "nodes":
		return usagef("--canary: %s", rest)
	case "for", "guard":
		return usagef("--%s", refused.Message)
	}
	return err
}

func endCanary(o adminapi.Operation[adminapi.CanaryChange, adminapi.Canary]) func(context.Context, *invocation) error {
	return func(ctx context.Context, in *invocation) error {
		client, err := in.client()
		if err != nil {
			return err
		}
		c, err := adminclient.Call(ctx, client, o, adminapi.CanaryChange{Reason: in.text("reason")})
		if err != nil {
			return err
		}
		return in.show(c, func(w io.Writer) error { return writeCanary(w, in.look(), c) })
	}
}

func canaryStatus(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := adminclient.Call(ctx, client, adminapi.ListCanaries(), adminapi.CanaryQuery{})
	if err != nil {
		return err
	}
	return in.show(rows, func(w io.Writer) error {
		if i := slices.IndexFunc(rows, func(c adminapi.Canary) bool { return c.State == adminapi.CanaryRunning }); i >= 0 {
			return writeCanary(w, in.look(), rows[i])
		}
		return writeTable(w, in.look(), rows, canaryColumns())
	})
}

func canaryColumns() []column[adminapi.Canary] {
	type shown = adminapi.Canary
	return []column[shown]{
		{name: "id", text: func(c shown) string { return c.ID }},
		{name: "release", text: func(c shown) string { return natural(c.Release) }, number: true},
		{name: "nodes", text: func(c shown) string { return strings.Join(c.Nodes, ",") }},
		{name: "state", text: func(c shown) string { return c.State }, tint: func(c shown) tint { return guardedTint(c.State) }},
		{name: "started", spare: true, text: func(c shown) string { return stamp(c.Started) }},
		{name: "ended", spare: true, text: func(c shown) string { return moment(c.Ended) }},
		{name: "why", text: func(c shown) string { return why(c.Ended, c.Next, c.Why) }},
	}
}

// writeCanary prints one canary with what was measured.
func writeCanary(w io.Writer, l look, c adminapi.Canary) error {
	err := writeFields(w, l, []field{
		{name: "canary", text: c.ID},
		{name: "release", text: natural(c.Release)},
		{name: "nodes", text: strings.Join(c.Nodes, ", ")},
		{name: "state", text: c.State, tint: guardedTint(c.State)},
		{name: "for", text: c.For},
		{name: "guard", text: fmt.Sprintf("%s, of at least %d requests", c.Guard, c.MinRequests)},
		{name: "author", text: c.Author},
		{name: "reason", text: c.Reason},
		{name: "started", text: stamp(c.Started)},
		{name: "ended", text: moment(c.Ended)},
		{name: "final_release", text: some(c.Final)},
		{name: "why", text: why(c.Ended, c.Next, c.Why)},
	})
	if err != nil || len(c.Results) == 0 {
		return err
	}
	_, _ = fmt.Fprintln(w)
	return writeTable(w, l, c.Results, []column[adminapi.CanaryGuardResult]{
		{name: "of", text: func(g adminapi.CanaryGuardResult) string { return orAll(g.Of) }},
		{name: "guard", text: func(g adminapi.CanaryGuardResult) string { return g.Guard }},
		{name: "state", text: func(g adminapi.CanaryGuardResult) string { return g.State }},
		{name: "value", text: func(g adminapi.CanaryGuardResult) string { return g.Value }},
		{name: "others", text: func(g adminapi.CanaryGuardResult) string { return g.Others }},
		{name: "requests", text: func(g adminapi.CanaryGuardResult) string { return natural(g.Requests) }, number: true},
	})
}

func orAll(of string) string {
	if of == "" {
		return "all"
	}
	return of
}
