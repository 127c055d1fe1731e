package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/shared/wire"
)

// CanaryPlan says which nodes get a configuration first, and how it is judged. All of it must be valid.
type CanaryPlan struct {
	ID          string
	Nodes       []string
	For         time.Duration
	Guard       string
	MinRequests uint64
	Now         time.Time
}

// maxCompared bounds the endpoints that a canary is judged by one by one.
const maxCompared = 200

// Canary is the canary that is running, as last read from the database; nil if none is.
func (p *Publisher) Canary() *controlstate.Canary { return p.canary.Load() }

// learnCanary reads the canary that is running and makes its document.
func (p *Publisher) learnCanary(ctx context.Context, db *controlstate.State) error {
	c, err := db.ActiveCanary(ctx)
	if err != nil {
		return err
	}
	p.link.canary = nil
	if c != nil {
		if p.link.canary, err = p.sealCanary(c); err != nil {
			return err
		}
	}
	p.canary.Store(c)
	return nil
}

func (p *Publisher) sealCanary(c *controlstate.Canary) (*document, error) {
	body, err := wire.EncodeCanary(&c.Release, c.Nodes)
	if err != nil {
		return nil, err
	}
	d, err := p.seal(wire.CanaryKey, c.Release.Epoch, c.Release.Number, body)
	if err != nil {
		return nil, err
	}
	d.hash, d.nodes = c.Release.Hash, c.Nodes
	return d, nil
}

// StartCanary compiles the configuration, as Apply does, and gives it to a few
// nodes. What is wrong with it is a config.Problems. Without a change, or for a dry run,
// there is no canary.
func (p *Publisher) StartCanary(ctx context.Context, c Change, src Source, plan CanaryPlan) (Result, *controlstate.Canary, error) {
	files, warnings, err := p.o.Files.load(src.Models, src.Routing)
	if err != nil {
		return Result{Warnings: texts(warnings)}, nil, err
	}
	ctx = context.WithoutCancel(ctx)
	p.changing.Lock()
	defer p.changing.Unlock()
	b, err := p.basis(ctx, c)
	if err != nil {
		return Result{}, nil, err
	}
	if err := b.noOther(ctx); err != nil {
		return Result{}, nil, err
	}
	w, err := b.applied(files, warnings, origin{ours: src.Models == nil && src.Routing == nil, paidShadows: src.PaidShadows})
	if err != nil {
		return Result{}, nil, err
	}
	next, err := b.release(c, w)
	if err != nil {
		return Result{}, nil, err
	}
	r := Result{Release: b.current, Changes: compile.Diff(b.snapshot(), &w.snapshot), Warnings: w.warnings}
	r.countModels(b.snapshot(), &w.snapshot)
	if next.Hash == b.current.Hash && w.keeps(b) {
		return r, nil, nil
	}
	r.Release, r.Changed = next, true
	made := plan.canary(b, w, next)
	made.Release.Reason = strings.TrimSuffix(fmt.Sprintf("canary %s on %s: %s", plan.ID, strings.Join(plan.Nodes, ", "), c.Reason), ": ")
	if _, err := p.sealCanary(made); err != nil || c.DryRun {
		return r, nil, err
	}
	detail, err := describe(&r)
	if err != nil {
		return r, nil, err
	}
	audit := controlstate.Entry{Author: c.Author, Action: "canary.start", Target: strings.Join(plan.Nodes, ","), Reason: c.Reason, Detail: detail}
	if err := b.db.StartCanary(ctx, made, w.files, audit); err != nil {
		return r, nil, err
	}
	made.Version = 1
	p.Kick()
	return r, made, nil
}

// noOther is an error while a canary or a rollout is under way.
func (b *basis) noOther(ctx context.Context) error {
	if b.current == nil {
		return invalid("there is no release yet that the other nodes could keep")
	}
	if b.canary != nil {
		return Refuse(controlstate.ErrExists, "canary %s on %s is running; promote or abort it first", b.canary.ID, strings.Join(b.canary.Nodes, ", "))
	}
	active, err := b.db.ActiveRollouts(ctx)
	if err == nil && len(active) > 0 {
		err = Refuse(controlstate.ErrExists, "rollout %s of %s to %s is %s, and its next step would end the canary; finish or abort it first", active[0].ID, active[0].Model, active[0].Endpoint, active[0].State)
	}
	return err
}

func (plan *CanaryPlan) canary(b *basis, w *plan, next *wire.Release) *controlstate.Canary {
	c := &controlstate.Canary{
		ID: plan.ID, State: controlstate.CanaryRunning, Created: plan.Now.UTC().Truncate(time.Millisecond), Release: *next,
		CanaryContent: controlstate.CanaryContent{
			Nodes: plan.Nodes, Takes: plan.For, Guard: plan.Guard, MinRequests: plan.MinRequests, Delete: w.drop, Disable: w.disable, Enable: w.enable, Select: w.selections,
		},
	}
	c.Models, c.Endpoints = changed(b.snapshot(), &w.snapshot)
	return c
}

// changed lists the models that differ, and those of their endpoints in service that do.
// Where something else differs, all models may.
func changed(from, to *wire.Snapshot) (models, endpoints []string) {
	same := func(a, b any) bool {
		x, err1 := json.Marshal(a)
		y, err2 := json.Marshal(b)
		return err1 == nil && err2 == nil && string(x) == string(y)
	}
	all := !same(from.HealthCheck, to.HealthCheck)
	for i := range to.Models {
		m := &to.Models[i]
		old := &wire.Model{}
		if j := slices.IndexFunc(from.Models, func(f wire.Model) bool { return f.ID == m.ID }); j >= 0 {
			old = &from.Models[j]
		}
		if same(old, m) && !all {
			continue
		}
		models = append(models, m.ID)
		for j := range m.Endpoints {
			e := m.Endpoints[j]
			k := slices.IndexFunc(old.Endpoints, func(f wire.Endpoint) bool { return f.ID == e.ID })
			if e.Weight > 0 && len(endpoints) < maxCompared && (k < 0 || !same(old.Endpoints[k], e)) {
				endpoints = append(endpoints, e.ID)
			}
		}
	}
	if len(models) == 0 {
		for i := range to.Models {
			models = append(models, to.Models[i].ID)
		}
	}
	return models, endpoints
}

// EndCanary ends the canary with a release: its own for all nodes if its State is
// promoted, else one with the content that the other nodes have. It gives a
// *SupersededError if a release that does not know of the canary was made, and
// controlstate.ErrChanged if c is not the newest version.
func (p *Publisher) EndCanary(ctx context.Context, by Change, action string, c controlstate.Canary) (Result, error) {
	return p.change(ctx, by, func(b *basis) (*plan, error) {
		if b.canary == nil || b.canary.ID != c.ID || b.canary.Version != c.Version {
			if b.current != nil && b.current.Number >= c.Release.Number {
				return nil, &SupersededError{fmt.Sprintf("release %d was made", b.current.Number)}
			}
			return nil, controlstate.ErrChanged
		}
		done := c
		w := &plan{snapshot: *b.snapshot(), canary: &done, action: action, target: strings.Join(c.Nodes, ",")}
		if done.Final = b.next(); c.State == controlstate.CanaryPromoted {
			done.Final = c.Release.Number
			w.snapshot, w.drop, w.disable, w.enable, w.selections = c.Release.Snapshot, c.Delete, c.Disable, c.Enable, c.Select
		}
		return w, nil
	})
}

// NoteCanary stores that a release of a daemon that did not know of the canary has ended it.
func (p *Publisher) NoteCanary(ctx context.Context, c *controlstate.Canary, audit controlstate.Entry) error {
	db, err := p.State()
	if err != nil {
		return err
	}
	if err := db.EndCanary(context.WithoutCancel(ctx), c, audit); err != nil {
		return err
	}
	p.Kick()
	return nil
}

// supersedes ends the canary, if one is running, by a change of something else.
func (w *plan) supersedes(b *basis, c Change) {
	if b.canary == nil || w.canary != nil {
		return
	}
	done := *b.canary
	done.State, done.Ended, done.By, done.Final = controlstate.CanarySuperseded, time.Now().UTC(), c.Author, b.next()
	done.Why = fmt.Sprintf("%s has made release %d", c.Author, done.Final)
	w.canary = &done
	w.warnings = append(w.warnings, fmt.Sprintf("canary %s on %s is superseded: these nodes get release %d as all others", done.ID, strings.Join(done.Nodes, ", "), done.Final))
}
