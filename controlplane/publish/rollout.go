package publish

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/shared/wire"
)

// SupersededError says that someone else has changed the traffic of a
// rollout's model since its last step. Nothing was changed.
type SupersededError struct{ Why string }

func (e *SupersededError) Error() string { return "superseded: " + e.Why }

// Rollouts are the rollouts that have not ended, as last read from the database.
func (p *Publisher) Rollouts() []controlstate.Rollout {
	if list := p.rollouts.Load(); list != nil {
		return *list
	}
	return nil
}

// learnRollouts reads the active rollouts and the canary if one has changed.
func (p *Publisher) learnRollouts(ctx context.Context, db *controlstate.State, version uint64) error {
	if version == p.link.rollouts {
		return nil
	}
	list, err := db.ActiveRollouts(ctx)
	if err != nil {
		return err
	}
	if err := p.learnCanary(ctx, db); err != nil {
		return err
	}
	p.rollouts.Store(&list)
	p.link.rollouts = version
	return nil
}

// watched are the models whose endpoints' counts the nodes are to report.
func (p *Publisher) watched() (models []string) {
	for _, r := range p.Rollouts() {
		models = append(models, r.Model)
	}
	if c := p.Canary(); c != nil {
		models = append(models, c.Models...)
	}
	return models
}

// StartRollout takes the first step of a rollout. Its Model is an id or alias,
// its Endpoint an id or the part after the model's; its ID, State, Since, Guard, plan
// and the one event of its Log are complete. It returns the rollout as it was stored.
func (p *Publisher) StartRollout(ctx context.Context, c Change, r controlstate.Rollout) (Result, controlstate.Rollout, error) {
	done := r
	result, err := p.change(ctx, c, func(b *basis) (*plan, error) {
		m, err := FindModel(b.snapshot(), r.Model)
		if err != nil {
			return nil, err
		}
		next := r
		next.Model = m.ID
		if next.Endpoint, err = b.startable(ctx, m, &r); err != nil {
			return nil, err
		}
		next.Policy = m.Effective().Policy
		next.Before = map[string]controlstate.RolloutWeight{}
		for i := range m.Endpoints {
			e := &m.Endpoints[i]
			_, set := b.Weights[e.ID]
			next.Before[e.ID] = controlstate.RolloutWeight{Weight: e.Intended(), Override: set, Disabled: e.Disabled()}
		}
		w := b.step(m, &next, rolloutWeights(m, &next, r.Steps[0]))
		w.action = "rollout.start"
		done = next
		return w, w.serves(m)
	})
	done.Version = 1
	return result, done, err
}

// noRollout is an error if a rollout of the model is under way.
func (b *basis) noRollout(ctx context.Context, m *wire.Model) error {
	active, err := b.db.ActiveRollouts(ctx)
	if err != nil {
		return err
	}
	for i := range active {
		if a := &active[i]; a.Model == m.ID {
			return Refuse(controlstate.ErrExists, "rollout %s of %s to %s is %s; finish or abort it first", a.ID, a.Model, a.Endpoint, a.State)
		}
	}
	return nil
}

// startable returns the full id of the endpoint if a rollout to it may start.
func (b *basis) startable(ctx context.Context, m *wire.Model, r *controlstate.Rollout) (string, error) {
	if len(m.Endpoints) < 2 {
		return "", invalid("to: %s has a single endpoint: there is no other one to take traffic from", m.ID)
	}
	id, ok := findEndpoint(m, r.Endpoint)
	if !ok {
		return "", invalid("to: %s has no endpoint %q; available: %s", m.ID, r.Endpoint, parts(m))
	}
	if err := weighed(m, id); err != nil {
		return "", err
	}
	if err := b.noRollout(ctx, m); err != nil {
		return "", err
	}
	if c := b.canary; c != nil {
		return "", Refuse(controlstate.ErrExists, "canary %s on %s is running, and the rollout's first step would end it; promote or abort it first", c.ID, strings.Join(c.Nodes, ", "))
	}
	var own, all float64
	for i := range m.Endpoints {
		e := &m.Endpoints[i]
		all += e.Weight
		if e.ID != id {
			continue
		}
		if own = e.Weight; e.Disabled() {
			return "", invalid("to: %s is disabled; enable it first", id)
		}
		if e.Shadow > 0 {
			return "", invalid("to: %s is a shadow; remove shadow from its route in models.yaml first", id)
		}
	}
	if all-own <= 0 {
		return "", invalid("to: no other endpoint of %s gets traffic: there is none to move to %s", m.ID, id)
	}
	if share := 100 * own / all; share >= r.Steps[0] {
		return "", invalid("steps: %s gets %s%% of the traffic already: the first step must be above it, got %s%%", id, short(share), short(r.Steps[0]))
	}
	return id, nil
}

// weighed is an error if the model's policy gives an endpoint more than its weight says.
func weighed(m *wire.Model, id string) error {
	const advice = "`gatewayctl policy set %s weighted` lets weights decide"
	switch m.Effective().Policy {
	case wire.PolicyCost:
		return invalid("to: under the policy cost of %s weights do not say what an endpoint gets; "+advice, m.ID, m.ID)
	case wire.PolicyPriority:
		rank := m.Endpoints[slices.IndexFunc(m.Endpoints, func(e wire.Endpoint) bool { return e.ID == id })].Priority
		if slices.ContainsFunc(m.Endpoints, func(e wire.Endpoint) bool { return e.Weight > 0 && e.Priority != rank }) {
			return invalid("to: under the policy priority of %s weights count among endpoints of the same priority only, and %s has priority %d; "+advice, m.ID, id, rank, m.ID)
		}
	}
	return nil
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// MoveRollout stores r, which was changed since it was read, with a release that
// gives its endpoint a share of the traffic in percent; a negative share gives
// the model the weights from before the rollout. The last event of r's Log gets the number
// of the release; action is for the audit log. It gives a *SupersededError if someone else has changed the
// model's traffic, and controlstate.ErrChanged if r is not the newest version.
func (p *Publisher) MoveRollout(ctx context.Context, c Change, action string, r controlstate.Rollout, share float64) (Result, controlstate.Rollout, error) {
	done := r
	result, err := p.change(ctx, c, func(b *basis) (*plan, error) {
		if why := Superseded(b.snapshot(), &r); why != "" {
			return nil, &SupersededError{why}
		}
		m, err := FindModel(b.snapshot(), r.Model)
		if err != nil {
			return nil, err
		}
		next := r
		w := b.step(m, &next, rolloutWeights(m, &next, share))
		w.action = action
		done = next
		return w, w.serves(m)
	})
	done.Version = r.Version + 1
	return result, done, err
}

// NoteRollout stores a rollout that was changed since it was read and makes no release.
func (p *Publisher) NoteRollout(ctx context.Context, r *controlstate.Rollout, audit controlstate.Entry) error {
	db, err := p.State()
	if err != nil {
		return err
	}
	if err := db.ChangeRollout(context.WithoutCancel(ctx), r, audit); err != nil {
		return err
	}
	p.Kick()
	return nil
}

// Superseded says how the traffic of a rollout's model differs from what the
// rollout has made it, "" if it does not.
func Superseded(s *wire.Snapshot, r *controlstate.Rollout) string {
	m, err := FindModel(s, r.Model)
	if err != nil || m.ID != r.Model {
		return "the model " + r.Model + " is no longer configured"
	}
	if policy := m.Effective().Policy; policy != r.Policy {
		return fmt.Sprintf("the policy was changed from %s to %s", r.Policy, policy)
	}
	seen := 0
	for i := range m.Endpoints {
		e := &m.Endpoints[i]
		set, known := r.Set[e.ID]
		switch {
		case !known:
			return "endpoint " + e.ID + " was added"
		case e.Disabled() && !r.Before[e.ID].Disabled:
			return "endpoint " + e.ID + " was disabled"
		case !e.Disabled() && r.Before[e.ID].Disabled:
			return "endpoint " + e.ID + " was enabled"
		case e.Intended() != set:
			return fmt.Sprintf("the weight of %s was changed from %s to %s", e.ID, short(set), short(e.Intended()))
		}
		seen++
	}
	if seen < len(r.Set) {
		for id := range r.Set {
			if !slices.ContainsFunc(m.Endpoints, func(e wire.Endpoint) bool { return e.ID == id }) {
				return "endpoint " + id + " was removed"
			}
		}
	}
	return ""
}

// rolloutWeights are the weights of all endpoints of a model with which a
// rollout's endpoint has a share in percent. The others keep their weights up to the
// last percent; at 100 they have none. A negative share is the weights from before.
func rolloutWeights(m *wire.Model, r *controlstate.Rollout, share float64) map[string]float64 {
	set := make(map[string]float64, len(m.Endpoints))
	var others float64
	for i := range m.Endpoints {
		id := m.Endpoints[i].ID
		before := r.Before[id]
		if set[id] = before.Weight; share < 0 && !before.Override {
			set[id] = m.Endpoints[i].Configured
		}
		if id != r.Endpoint && !before.Disabled {
			others += before.Weight
		}
	}
	switch {
	case share < 0:
	case share >= 100:
		clear(set)
		for i := range m.Endpoints {
			set[m.Endpoints[i].ID] = 0
		}
		set[r.Endpoint] = readable(others + r.Before[r.Endpoint].Weight)
	default:
		set[r.Endpoint] = readable(others * share / (100 - share))
	}
	return set
}

// readable rounds a weight to six digits.
func readable(weight float64) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(weight, 'g', 6, 64), 64)
	if err != nil {
		return weight
	}
	return v
}

// step is the plan that gives a model these weights, and completes r.
func (b *basis) step(m *wire.Model, r *controlstate.Rollout, weights map[string]float64) *plan {
	w := &plan{rollout: r, set: map[string]float64{}, target: m.ID}
	w.snapshot = reweighted(b.snapshot(), func(e *wire.Endpoint) {
		if weight, ok := weights[e.ID]; ok {
			e.Reset(weight, e.Disabled())
		}
	})
	for i := range m.Endpoints {
		e := &m.Endpoints[i]
		if weights[e.ID] == e.Configured {
			w.drop = append(w.drop, e.ID)
		} else {
			w.set[e.ID] = weights[e.ID]
		}
	}
	r.Set = weights
	r.Log = slices.Clone(r.Log)
	r.Release = b.next()
	r.Log[len(r.Log)-1].Release = r.Release
	return w
}
