// Package rollout moves the traffic of a model to one of its endpoints step by
// step, and takes it back when the endpoint does not do as well as its guard asks.
//
// What a rollout has done is in the control state; every step is a release. Each
// daemon watches all rollouts and may take the next step: step and release are
// one transaction, which compares the versions of both, so that no
// step is taken twice and none after someone else's change. What was measured within a step is in memory only: a
// daemon that starts measures anew.
package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/guard"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
)

// tickEvery is how often nodes' reports are compared.
const tickEvery = time.Second

// author makes the changes that no one asks for.
const author = "controlplane"

// Options are what an Engine needs.
type Options struct {
	Publisher *publish.Publisher
	// Nodes are the nodes with what they have reported.
	Nodes func() []nodes.Node
	// Now is the clock; time.Now if nil.
	Now func() time.Time
	Log *slog.Logger
}

// Engine drives all rollouts. Its methods may be called side by side.
type Engine struct {
	o Options

	mu       sync.Mutex
	windows  map[string]*window
	canary   *comparison
	verdicts map[string]guard.Verdict
	failures map[string]string // the last of each, so that it is logged once
}

// New returns an engine that does nothing before Run.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Engine{o: o, windows: map[string]*window{}, verdicts: map[string]guard.Verdict{}, failures: map[string]string{}}
}

// Run watches rollouts until ctx is done.
func (e *Engine) Run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			e.Tick(ctx)
		}
	}
}

// Verdict is the last decision about a rollout; false if there was none yet.
func (e *Engine) Verdict(id string) (guard.Verdict, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v, ok := e.verdicts[id]
	return v, ok
}

// Tick looks at all rollouts once.
func (e *Engine) Tick(ctx context.Context) {
	active, canary := e.o.Publisher.Rollouts(), e.o.Publisher.Canary()
	e.forget(active, canary)
	if len(active) == 0 && canary == nil {
		return
	}
	list := e.o.Nodes()
	if canary != nil {
		e.complain(ctx, canary.ID, slog.String("canary", canary.ID), forgive(e.lookCanary(ctx, canary, list)))
	}
	for i := range active {
		r := &active[i]
		e.complain(ctx, r.ID, slog.String("rollout", r.ID), forgive(e.look(ctx, r, list)))
	}
}

// forgive drops the error of what another daemon or an operator has changed: the next
// look sees how.
func forgive(err error) error {
	if _, superseded := errors.AsType[*publish.SupersededError](err); superseded || errors.Is(err, controlstate.ErrChanged) {
		return nil
	}
	return err
}

// forget drops what is kept of rollouts that have ended.
func (e *Engine) forget(active []controlstate.Rollout, canary *controlstate.Canary) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.canary != nil && (canary == nil || canary.ID != e.canary.id) {
		delete(e.failures, e.canary.id)
		e.canary = nil
	}
	for id := range e.windows {
		if !slices.ContainsFunc(active, func(r controlstate.Rollout) bool { return r.ID == id }) {
			delete(e.windows, id)
			delete(e.verdicts, id)
			delete(e.failures, id)
		}
	}
}

// complain logs what keeps a rollout or a canary from being moved, once.
func (e *Engine) complain(ctx context.Context, id string, which slog.Attr, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if text != "" && text != e.failures[id] {
		e.o.Log.LogAttrs(ctx, slog.LevelWarn, "a rollout cannot be moved; retrying", which, slog.String("error", text))
	}
	e.failures[id] = text
}

// look decides about one rollout and does what was decided.
func (e *Engine) look(ctx context.Context, r *controlstate.Rollout, list []nodes.Node) error {
	current := e.o.Publisher.Current()
	if current == nil || current.Number < r.Release {
		return nil // the rollout was read after a release that is not known yet
	}
	if why := publish.Superseded(&current.Snapshot, r); why != "" {
		return e.supersede(ctx, r, why)
	}
	guards, err := guard.Parse(r.Guard)
	if err != nil {
		return err
	}
	var before guard.Counts
	if err := json.Unmarshal(r.Others, &before); err != nil {
		return fmt.Errorf("counts of the step before: %w", err)
	}
	now := e.o.Now()
	v, others := e.judge(now, r, guards, before, list)
	switch {
	case v.Action == guard.TakeBack:
		return e.takeBack(ctx, r, v.Reason)
	case v.Action == guard.Advance && r.State == controlstate.RolloutRunning:
		return e.advance(ctx, r, v.Reason, &others)
	}
	return nil
}

// judge measures and decides. It returns what the other endpoints have done, too.
func (e *Engine) judge(now time.Time, r *controlstate.Rollout, guards []guard.Guard, before guard.Counts, list []nodes.Node) (guard.Verdict, guard.Counts) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.windows[r.ID]
	if w == nil {
		w = newWindow()
		e.windows[r.ID] = w
	}
	w.follow(r)
	w.observe(now, func(_ *nodes.Node, endpoint string) side {
		switch _, ours := r.Set[endpoint]; {
		case !ours:
			return neither
		case endpoint == r.Endpoint:
			return fresh
		}
		return others
	}, list)
	v := guard.Decide(w.input(now, r, guards, before, list))
	e.verdicts[r.ID] = v
	return v, w.others
}

// advance takes the next step, or ends the rollout after the last one.
func (e *Engine) advance(ctx context.Context, r *controlstate.Rollout, why string, others *guard.Counts) error {
	next := *r
	if r.Step == len(r.Steps)-1 {
		e.end(&next, controlstate.RolloutCompleted, "the guard held in the last step: "+why)
		return e.note(ctx, &next, "rollout.complete", author, "")
	}
	next.Step++
	next.Since = e.o.Now().UTC()
	if others.Requests > 0 {
		var err error
		if next.Others, err = json.Marshal(others); err != nil {
			return err
		}
	}
	e.record(&next, "step "+stepName(&next)+": "+why)
	return e.move(ctx, r, &next, "rollout.step", author, fmt.Sprintf("rollout %s: step %s to %s; %s", r.ID, stepName(&next), r.Endpoint, why), next.Steps[next.Step])
}

// stepName is such as "2 of 5, 5%".
func stepName(r *controlstate.Rollout) string {
	return fmt.Sprintf("%d of %d, %s", r.Step+1, len(r.Steps), guard.Percent(r.Steps[r.Step]))
}

// takeBack returns to the weights from before the rollout.
func (e *Engine) takeBack(ctx context.Context, r *controlstate.Rollout, why string) error {
	next := *r
	e.end(&next, controlstate.RolloutTakenBack, why)
	if err := e.move(ctx, r, &next, "rollout.take_back", author, fmt.Sprintf("rollout %s to %s taken back: %s", r.ID, r.Endpoint, why), back); err != nil {
		return err
	}
	e.o.Log.WarnContext(ctx, "rollout taken back", slog.String("rollout", r.ID), slog.String("endpoint", r.Endpoint), slog.Float64("share", r.Steps[r.Step]), slog.String("reason", why))
	return nil
}

// back is the share that stands for the weights from before.
const back = -1

// supersede stops a rollout and leaves the traffic as someone else has set it.
func (e *Engine) supersede(ctx context.Context, r *controlstate.Rollout, why string) error {
	next := *r
	e.end(&next, controlstate.RolloutSuperseded, why)
	if err := e.note(ctx, &next, "rollout.supersede", author, ""); err != nil {
		return err
	}
	e.o.Log.WarnContext(ctx, "rollout stopped, since somebody else has changed the traffic of its model", slog.String("rollout", r.ID), slog.String("model", r.Model), slog.String("reason", why))
	return nil
}

// record adds an event to the log of a rollout.
func (e *Engine) record(r *controlstate.Rollout, what string) {
	r.Log = append(slices.Clone(r.Log), controlstate.RolloutEvent{Time: e.o.Now().UTC(), Share: r.Steps[r.Step], What: what})
}

func (e *Engine) end(r *controlstate.Rollout, state, why string) {
	r.State, r.Ended, r.Why = state, e.o.Now().UTC(), why
	e.record(r, why)
	if state == controlstate.RolloutTakenBack || state == controlstate.RolloutAborted || state == controlstate.RolloutSuperseded {
		r.Log[len(r.Log)-1].Share = 0
	}
}

// longestReason bounds the reason of a release.
const longestReason = 1000

func shorten(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), longestReason)], "")
}

// move changes the weights with the rollout, unless someone else has changed
// them since was was read: then the rollout ends.
func (e *Engine) move(ctx context.Context, was, next *controlstate.Rollout, action, by, reason string, share float64) error {
	_, _, err := e.o.Publisher.MoveRollout(ctx, publish.Change{Author: by, Reason: shorten(reason)}, action, *next, share)
	if superseded, ok := errors.AsType[*publish.SupersededError](err); ok {
		return errors.Join(e.supersede(ctx, was, superseded.Why), err)
	}
	return err
}

// note changes only the rollout.
func (e *Engine) note(ctx context.Context, r *controlstate.Rollout, action, by, reason string) error {
	var detail strings.Builder
	enc := json.NewEncoder(&detail)
	enc.SetEscapeHTML(false) // guards have a <
	err := enc.Encode(map[string]any{"rollout": r.ID, "endpoint": r.Endpoint, "share": r.Steps[r.Step], "state": r.State, "why": r.Log[len(r.Log)-1].What})
	if err != nil {
		return err
	}
	return e.o.Publisher.NoteRollout(ctx, r, controlstate.Entry{Author: by, Action: action, Target: r.Model, Reason: reason, Detail: strings.TrimSpace(detail.String())})
}
