package publish

import (
	"context"
	"fmt"
	"slices"

	"github.com/hybridinference/gateway/controlplane/config"
)

// Apply compiles the configuration, with the overrides on top, to a release.
// What is wrong with it is a config.Problems. Overrides whose endpoint is gone
// are dropped, with a warning.
func (p *Publisher) Apply(ctx context.Context, c Change, src Source) (Result, error) {
	files, warnings, err := p.o.Files.load(src.Models, src.Routing)
	if err != nil {
		return Result{Warnings: texts(warnings)}, err
	}
	return p.apply(ctx, c, files, warnings, origin{ours: src.Models == nil && src.Routing == nil, paidShadows: src.PaidShadows})
}

// Reload applies the files if they, or variables that they refer to, say
// something else than when they were last applied. What was sent over the admin
// API since then thus outlives it, as it outlives a restart.
func (p *Publisher) Reload(ctx context.Context, c Change) (Result, error) {
	files, warnings, err := p.o.Files.load(nil, nil)
	if err != nil {
		return Result{Warnings: texts(warnings)}, err
	}
	sum, err := digest(files)
	if err != nil {
		return Result{Warnings: texts(warnings)}, err
	}
	db, err := p.State()
	if err != nil {
		return Result{}, err
	}
	if last, err := db.Files(ctx); err != nil {
		return Result{}, err
	} else if current := p.Current(); current != nil && sum == last {
		return Result{Release: current, Warnings: texts(warnings)}, nil
	}
	return p.apply(ctx, c, files, warnings, origin{ours: true})
}

// origin tells the daemon's own files from what was sent, and whether shadows
// that cost money were confirmed.
type origin struct{ ours, paidShadows bool }

// apply commits what the configuration says.
func (p *Publisher) apply(ctx context.Context, c Change, files *config.Files, warnings []config.Warning, from origin) (Result, error) {
	return p.change(ctx, c, func(b *basis) (*plan, error) { return b.applied(files, warnings, from) })
}

// applied is the plan that brings the configuration into service.
func (b *basis) applied(files *config.Files, warnings []config.Warning, from origin) (*plan, error) {
	out, err := compiled(files, b, from.paidShadows)
	if err != nil {
		return nil, err
	}
	w := &plan{snapshot: out.Snapshot, drop: out.Orphans, enable: out.Orphans, warnings: texts(warnings), action: "config.apply"}
	for e := range endpoints(&out.Snapshot) {
		if weight, ok := b.Weights[e.ID]; ok && weight == e.Configured {
			w.drop = append(w.drop, e.ID) // the files say so themselves by now
		}
	}
	for _, id := range out.Orphans {
		w.warnings = append(w.warnings, fmt.Sprintf("overrides for %s are dropped: the endpoint no longer exists", id))
	}
	w.settleSelections(b)
	if from.ours {
		w.files, err = digest(files)
	}
	return w, err
}

func texts(warnings []config.Warning) []string {
	out := make([]string, len(warnings))
	for i, w := range warnings {
		out[i] = w.String()
	}
	return out
}

// Rollback makes a release with the content of an old one. Weights that were
// overridden then are overridden again, all others are not; the same goes for
// endpoints that were disabled, and for policies.
func (p *Publisher) Rollback(ctx context.Context, c Change, number uint64) (Result, error) {
	return p.change(ctx, c, func(b *basis) (*plan, error) {
		old, err := b.db.Release(ctx, number)
		if err != nil {
			return nil, err
		}
		w := &plan{snapshot: old.Snapshot, set: map[string]float64{}, action: "release.rollback", target: fmt.Sprint(number)}
		for e := range endpoints(&old.Snapshot) {
			if e.Overridden() {
				w.set[e.ID] = e.Intended()
			}
			if e.Disabled() {
				w.disable = append(w.disable, e.ID)
			}
		}
		for id := range b.Disabled {
			if !slices.Contains(w.disable, id) {
				w.enable = append(w.enable, id)
			}
		}
		for id := range b.Weights {
			if _, again := w.set[id]; !again {
				w.drop = append(w.drop, id)
			}
		}
		w.restoreSelections(b)
		return w, nil
	})
}
