package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/controlplane/guard"
)

// watchEvery is the pause between two looks of rollout status --watch.
const watchEvery = time.Second

func rolloutCommand() *urfave.Command {
	reason := []urfave.Flag{reasonFlag()}
	return &urfave.Command{
		Name: "rollout", Aliases: []string{"rollouts"}, Usage: "move a model's traffic to one of its endpoints step by step, as long as a guard holds",
		Description: help("The daemon compares the endpoint with the model's others over the same minutes. It goes on, waits, or takes everything\n"+
			"back. Each step is a release. A change to the model's weights or endpoints by somebody else ends the rollout.",
			"gatewayctl rollout start glm-4.6 --to zhipu-api", "gatewayctl rollout status glm-4.6"),
		Subcommands: []*urfave.Command{
			{
				Name: "start", Usage: "take the first step of a rollout", ArgsUsage: "MODEL",
				Description: help("A guard is METRIC<LIMIT: errors<2% or errors<2x (times the errors of the other endpoints), ttft_p50, ttft_p90, ttft_p95 or\n"+
					"ttft_p99 such as ttft_p95<2s or ttft_p95<1.5x, and cost<1.2x or cost<$0.01 (a request). The rollout goes on when a\n"+
					"step's time is over, each guard holds and --min-requests have come. What cannot be chance is taken back at once.",
					"gatewayctl rollout start glm-4.6 --to zhipu-api",
					"gatewayctl rollout start glm-4.6 --to zhipu-api --steps 1%,5%,25%,50%,100% --every 2m --guard 'errors<2%,ttft_p95<2s,cost<1.2x' --reason 'new region'"),
				Flags: []urfave.Flag{
					textFlag("to", "the `ENDPOINT` that gets the traffic: its id, or the part of it after the colon", ""),
					parsedFlag("steps", "rising `SHARES` of the model's traffic, separated by commas", "1%,5%,25%,50%,100%", guard.ParseSteps),
					parsedFlag("every", "each step takes at least this `DURATION`", adminapi.DefaultRolloutEvery, guard.ParseEvery),
					parsedFlag("guard", "`CONDITIONS` that must hold, separated by commas", guard.Default, guard.Parse),
					countFlag("min-requests", "go on only after `N` requests in a step, for each condition", adminapi.DefaultRolloutRequests, 1_000_000),
					reasonFlag(),
				},
				Action: run(startRollout), BashComplete: completer(suggestModel),
			},
			{
				Name: "status", Usage: "show rollouts, or the newest one of a model in detail", ArgsUsage: "[MODEL]",
				Description: help("With --watch, a line follows the rollout until it ends; the exit code is then 0 if it was completed, else 1.",
					"gatewayctl rollout status", "gatewayctl rollout status glm-4.6"),
				Flags:  []urfave.Flag{switchFlag("watch", "follow the rollout of MODEL, or the only active one")},
				Action: run(rolloutStatus), BashComplete: completer(suggestModel),
			},
			{
				Name: "pause", Usage: "keep a rollout at its step; its guard is still watched", ArgsUsage: "MODEL",
				Description: help("", "gatewayctl rollout pause glm-4.6 --reason 'until tomorrow'"),
				Flags:       reason, Action: run(changeRollout(adminapi.PauseRollout())), BashComplete: completer(suggestModel),
			},
			{
				Name: "resume", Usage: "resume a paused rollout; the time of its step begins again", ArgsUsage: "MODEL",
				Description: help("", "gatewayctl rollout resume glm-4.6"),
				Flags:       reason, Action: run(changeRollout(adminapi.ResumeRollout())), BashComplete: completer(suggestModel),
			},
			{
				Name: "abort", Usage: "end a rollout and restore the weights from before it", ArgsUsage: "MODEL",
				Description: help("", "gatewayctl rollout abort glm-4.6 --reason 'wrong endpoint'"),
				Flags:       reason, Action: run(changeRollout(adminapi.AbortRollout())), BashComplete: completer(suggestModel),
			},
			{
				Name: "finish", Usage: "take the last step now, and end the rollout", ArgsUsage: "MODEL",
				Description: help("", "gatewayctl rollout finish glm-4.6 --reason 'good enough'"),
				Flags:       reason, Action: run(changeRollout(adminapi.FinishRollout())), BashComplete: completer(suggestModel),
			},
		},
	}
}

// parsedFlag takes what parse does.
func parsedFlag[T any](name, usage, def string, parse func(string) (T, error)) *urfave.GenericFlag {
	return &urfave.GenericFlag{Name: name, Usage: usage, DefaultText: def, Value: &parsed[T]{parse: parse}}
}

func startRollout(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	start := adminapi.RolloutStart{
		Reason: in.text("reason"), Model: in.args[0], To: in.text("to"), Steps: valueOf[[]float64](in, "steps", nil), Guard: in.given("guard"), Every: in.given("every"),
		MinRequests: uint64(valueOf(in, "min-requests", 0)), //nolint:gosec // 0 or more
	}
	if start.To == "" {
		return usagef("rollout start: --to is missing: it names one of the endpoints of %s", start.Model)
	}
	made, err := adminclient.Call(ctx, client, adminapi.StartRollout(), start)
	if err != nil {
		return asFlag(err)
	}
	return in.showRollout(made)
}

// given is the text of a flag that is parsed, "" if it was not given.
func (in *invocation) given(name string) string {
	if !in.IsSet(name) {
		return ""
	}
	return fmt.Sprint(in.Generic(name))
}

// asFlag makes the daemon's refusal of a field a usage error about the flag.
func asFlag(err error) error {
	refused, ok := errors.AsType[*adminclient.Error](err)
	if !ok || refused.Status != http.StatusBadRequest {
		return err
	}
	if name, _, ok := strings.Cut(refused.Message, ": "); ok && slices.Contains([]string{"to", "steps", "every", "guard"}, name) {
		return usagef("--%s", refused.Message)
	}
	return usagef("%s", refused.Message)
}

func changeRollout(o adminapi.Operation[adminapi.RolloutChange, adminapi.GuardedRollout]) func(context.Context, *invocation) error {
	return func(ctx context.Context, in *invocation) error {
		client, err := in.client()
		if err != nil {
			return err
		}
		made, err := adminclient.Call(ctx, client, o, adminapi.RolloutChange{Model: in.args[0], Reason: in.text("reason")})
		if err != nil {
			return err
		}
		return in.showRollout(made)
	}
}

func rolloutStatus(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	if in.Bool("watch") {
		return in.watchRollout(ctx, client)
	}
	rows, err := adminclient.Call(ctx, client, adminapi.ListRollouts(), adminapi.RolloutQuery{Model: in.first()})
	if err != nil {
		return err
	}
	if in.first() != "" && len(rows) == 0 && in.format() == formatTable {
		return fmt.Errorf("%s has had no rollout", in.first())
	}
	if in.first() != "" && in.format() == formatTable {
		return in.showRollout(rows[0])
	}
	return list(in, rows, rolloutColumns())
}

func rolloutColumns() []column[adminapi.GuardedRollout] {
	type shown = adminapi.GuardedRollout
	return []column[shown]{
		{name: "model", text: func(r shown) string { return r.Model }},
		{name: "endpoint", text: func(r shown) string { return r.Endpoint }},
		{name: "state", text: func(r shown) string { return r.State }, tint: func(r shown) tint { return guardedTint(r.State) }},
		{name: "step", text: func(r shown) string { return fmt.Sprintf("%d/%d", r.Step, len(r.Steps)) }},
		{name: "share", text: func(r shown) string { return guard.Percent(r.Share) }, number: true},
		{name: "started", spare: true, text: func(r shown) string { return stamp(r.Started) }},
		{name: "ended", spare: true, text: func(r shown) string { return moment(r.Ended) }},
		{name: "why", text: func(r shown) string { return why(r.Ended, r.Next, r.Why) }},
	}
}

// why says what a rollout or a canary does, or why it has ended; next is "" before
// anything was measured.
func why(ended *time.Time, next, reason string) string {
	switch {
	case ended != nil:
		return reason
	case next == "":
		return "not measured yet"
	}
	return next + ": " + reason
}

// guardedTint is the colour of a state of a rollout or a canary.
func guardedTint(state string) tint {
	switch state {
	case adminapi.RolloutCompleted, adminapi.CanaryPromoted:
		return good
	case adminapi.RolloutTakenBack: // a canary's, too
		return bad
	case adminapi.RolloutRunning:
		return plain
	}
	return doubt
}

// showRollout prints one rollout with what was measured and what it has done.
func (in *invocation) showRollout(r adminapi.GuardedRollout) error {
	return in.show(r, func(w io.Writer) error {
		fields := []field{
			{name: "rollout", text: r.ID},
			{name: "model", text: r.Model},
			{name: "endpoint", text: r.Endpoint},
			{name: "state", text: r.State, tint: guardedTint(r.State)},
			{name: "step", text: fmt.Sprintf("%d of %d, each for %s", r.Step, len(r.Steps), r.Every)},
			{name: "share", text: guard.Percent(r.Share)},
			{name: "guard", text: fmt.Sprintf("%s, of at least %d requests", r.Guard, r.MinRequests)},
			{name: "author", text: r.Author},
			{name: "reason", text: r.Reason},
			{name: "started", text: stamp(r.Started)},
			{name: "ended", text: moment(r.Ended)},
			{name: "why", text: why(r.Ended, r.Next, r.Why)},
		}
		if err := writeFields(w, in.look(), fields); err != nil {
			return err
		}
		if len(r.Results) > 0 {
			_, _ = fmt.Fprintln(w)
			if err := writeTable(w, in.look(), r.Results, []column[adminapi.GuardResult]{
				{name: "guard", text: func(g adminapi.GuardResult) string { return g.Guard }},
				{name: "state", text: func(g adminapi.GuardResult) string { return g.State }},
				{name: "value", text: func(g adminapi.GuardResult) string { return g.Value }},
				{name: "others", text: func(g adminapi.GuardResult) string { return g.Others }},
				{name: "requests", text: func(g adminapi.GuardResult) string { return natural(g.Requests) }, number: true},
			}); err != nil {
				return err
			}
		}
		_, _ = fmt.Fprintln(w)
		return writeTable(w, in.look(), r.Log, []column[adminapi.RolloutAction]{
			{name: "time", text: func(a adminapi.RolloutAction) string { return stamp(a.Time) }},
			{name: "release", text: func(a adminapi.RolloutAction) string { return some(a.Release) }, number: true},
			{name: "share", text: func(a adminapi.RolloutAction) string { return guard.Percent(a.Share) }, number: true},
			{name: "what", text: func(a adminapi.RolloutAction) string { return a.What }},
		})
	})
}

// some writes a number, nothing for 0.
func some(n uint64) string {
	if n == 0 {
		return ""
	}
	return natural(n)
}

// errNotCompleted ends status --watch: its last line says how the rollout ended.
var errNotCompleted = fmt.Errorf("the rollout was not completed: %w", errShown)

// watchRollout follows one rollout: on a terminal with a line that changes,
// otherwise with a line, or a JSON object, for each change.
func (in *invocation) watchRollout(ctx context.Context, client *adminclient.Client) error {
	if in.format() == formatCSV {
		return usagef("--watch prints lines or JSON objects, not csv")
	}
	id, last := "", ""
	for {
		r, err := in.watched(ctx, client, id)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // interrupted, as intended
		}
		if err != nil {
			return err
		}
		id = r.ID
		if line := rolloutLine(r, in.live()); line != last {
			last = line
			if err := in.writeWatched(r, line); err != nil {
				return err
			}
		}
		switch {
		case r.Ended != nil && r.State == adminapi.RolloutCompleted:
			return nil
		case r.Ended != nil:
			return errNotCompleted
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}

// watched returns the rollout to follow: by its id once that is known.
func (in *invocation) watched(ctx context.Context, client *adminclient.Client, id string) (adminapi.GuardedRollout, error) {
	rows, err := adminclient.Call(ctx, client, adminapi.ListRollouts(), adminapi.RolloutQuery{Model: in.first(), Active: id == "" && in.first() == ""})
	if err != nil {
		return adminapi.GuardedRollout{}, err
	}
	if id != "" {
		rows = slices.DeleteFunc(rows, func(r adminapi.GuardedRollout) bool { return r.ID != id })
	}
	switch {
	case len(rows) == 0 && in.first() == "":
		return adminapi.GuardedRollout{}, errors.New("no rollout is running or paused")
	case len(rows) == 0:
		return adminapi.GuardedRollout{}, fmt.Errorf("%s has had no rollout", in.first())
	case len(rows) > 1 && in.first() == "":
		return adminapi.GuardedRollout{}, usagef("rollout status --watch: %d rollouts are active, name a MODEL", len(rows))
	}
	return rows[0], nil
}

// rolloutLine is the live line; with, it has what changes every second.
func rolloutLine(r adminapi.GuardedRollout, with bool) string {
	parts := []string{fmt.Sprintf("%s to %s: %s, step %d of %d, %s", r.Model, r.Endpoint, r.State, r.Step, len(r.Steps), guard.Percent(r.Share))}
	if r.Ended != nil {
		return parts[0] + "; " + r.Why
	}
	for _, g := range r.Results {
		if with && g.Value != "" {
			parts = append(parts, fmt.Sprintf("%s: %s of %d", g.Guard, g.Value, g.Requests))
		}
	}
	if with || r.Next == "hold" {
		parts = append(parts, why(r.Ended, r.Next, r.Why))
	}
	return strings.Join(parts, "; ")
}

// live reports whether a line may change where it is.
func (in *invocation) live() bool {
	return in.opts.StdoutTerminal && in.opts.Width > 1 && in.format() == formatTable
}

func (in *invocation) writeWatched(r adminapi.GuardedRollout, line string) error {
	line = printable(line)
	switch {
	case in.format() != formatTable:
		enc := json.NewEncoder(in.opts.Stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(r)
	case in.live():
		line = clearLine + runewidth.Truncate(line, in.opts.Width-1, "…")
		if r.Ended != nil {
			line += "\n"
		}
	default:
		line += "\n"
	}
	_, err := io.WriteString(in.opts.Stdout, line)
	return err
}
