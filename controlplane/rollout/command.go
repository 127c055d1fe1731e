package rollout

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/guard"
	"github.com/hybridinference/gateway/controlplane/publish"
)

// Plan is what an operator asks for.
type Plan struct {
	// Model is an id or alias, Endpoint an id or the part after the model's.
	Model, Endpoint string
	// Steps are shares of the traffic in percent, rising.
	Steps       []float64
	Every       time.Duration
	Guard       string
	MinRequests uint64
}

// Start takes the first step of a rollout. The plan's guard, steps and time must
// be valid; what does not fit the model is a publish.ErrInvalid.
func (e *Engine) Start(ctx context.Context, c publish.Change, p Plan) (controlstate.Rollout, error) {
	now := e.o.Now().UTC()
	r := controlstate.Rollout{
		ID: "r_" + strings.ToLower(rand.Text()[:10]), Model: p.Model, State: controlstate.RolloutRunning, Created: now.Truncate(time.Millisecond),
		RolloutContent: controlstate.RolloutContent{
			Endpoint: p.Endpoint, Steps: p.Steps, Every: p.Every, Guard: p.Guard, MinRequests: p.MinRequests, Author: c.Author, Reason: c.Reason,
			Since: now, Others: []byte("null"),
		},
	}
	what := "step " + stepName(&r)
	if c.Reason != "" {
		what += ": " + c.Reason
	}
	e.record(&r, what)
	c.Reason = shorten(fmt.Sprintf("rollout %s to %s: %s", r.ID, p.Endpoint, what))
	_, made, err := e.o.Publisher.StartRollout(ctx, c, r)
	return made, err
}

// Pause keeps a rollout at its step. Its guard goes on to be watched.
func (e *Engine) Pause(ctx context.Context, model, by, reason string) (controlstate.Rollout, error) {
	return e.change(ctx, model, func(r *controlstate.Rollout) error {
		if r.State == controlstate.RolloutPaused {
			return publish.Refuse(controlstate.ErrExists, "the rollout is paused already")
		}
		r.State = controlstate.RolloutPaused
		e.record(r, because("paused by "+by, reason))
		return e.note(ctx, r, "rollout.pause", by, reason)
	})
}

// Resume lets a paused rollout go on. The time of its step begins again.
func (e *Engine) Resume(ctx context.Context, model, by, reason string) (controlstate.Rollout, error) {
	return e.change(ctx, model, func(r *controlstate.Rollout) error {
		if r.State == controlstate.RolloutRunning {
			return publish.Refuse(controlstate.ErrExists, "the rollout is running already")
		}
		r.State, r.Since = controlstate.RolloutRunning, e.o.Now().UTC()
		e.record(r, because("resumed by "+by, reason))
		return e.note(ctx, r, "rollout.resume", by, reason)
	})
}

// Abort returns to the weights from before the rollout.
func (e *Engine) Abort(ctx context.Context, model, by, reason string) (controlstate.Rollout, error) {
	return e.change(ctx, model, func(r *controlstate.Rollout) error {
		was := *r
		e.end(r, controlstate.RolloutAborted, because("aborted by "+by, reason))
		return e.move(ctx, &was, r, "rollout.abort", by, fmt.Sprintf("rollout %s to %s %s", r.ID, r.Endpoint, r.Why), back)
	})
}

// Finish takes the last step at once, and ends the rollout.
func (e *Engine) Finish(ctx context.Context, model, by, reason string) (controlstate.Rollout, error) {
	return e.change(ctx, model, func(r *controlstate.Rollout) error {
		was := *r
		r.Step = len(r.Steps) - 1
		e.end(r, controlstate.RolloutCompleted, because("finished by "+by, reason))
		return e.move(ctx, &was, r, "rollout.finish", by, fmt.Sprintf("rollout %s to %s, %s: %s", r.ID, r.Endpoint, guard.Percent(r.Steps[r.Step]), r.Why), r.Steps[r.Step])
	})
}

func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// tries is how often an operator's change is tried against the daemons' steps.
const tries = 3

// change changes the active rollout of a model, and returns it as it is then.
func (e *Engine) change(ctx context.Context, model string, do func(*controlstate.Rollout) error) (controlstate.Rollout, error) {
	db, err := e.o.Publisher.State()
	if err != nil {
		return controlstate.Rollout{}, err
	}
	id := model
	if current := e.o.Publisher.Current(); current != nil {
		if m, err := publish.FindModel(&current.Snapshot, model); err == nil {
			id = m.ID
		}
	}
	for try := 1; ; try++ {
		r, err := activeOf(ctx, db, id)
		if err != nil {
			return r, err
		}
		if err = do(&r); err == nil {
			return stored(ctx, db, r.Model, r.ID)
		}
		if !errors.Is(err, controlstate.ErrChanged) || try == tries {
			return r, err
		}
	}
}

func activeOf(ctx context.Context, db *controlstate.State, model string) (controlstate.Rollout, error) {
	list, err := db.ActiveRollouts(ctx)
	if err != nil {
		return controlstate.Rollout{}, err
	}
	for _, r := range list {
		if r.Model == model {
			return r, nil
		}
	}
	return controlstate.Rollout{}, publish.Refuse(controlstate.ErrNotFound, "model %q has no rollout that is running or paused", model)
}

// stored returns a rollout of the model as it is now.
func stored(ctx context.Context, db *controlstate.State, model, id string) (controlstate.Rollout, error) {
	list, err := db.Rollouts(ctx, model, controlstate.MaxPage)
	for i := range list {
		if list[i].ID == id {
			return list[i], nil
		}
	}
	return controlstate.Rollout{}, err
}
