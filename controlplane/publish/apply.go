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
	return p.change(ctx, c, func(b *basis) (*plan, error) {
		out, err := compiled(files, b)
		if err != nil {
			return nil, err
		}
		w := &plan{snapshot: out.Snapshot, drop: out.Orphans, enable: out.Orphans, warnings: texts(warnings), action: "config.apply"}
		for e := range endpoints(&out.Snapshot) {
			if weight, ok := b.overrides[e.ID]; ok && weight == e.Configured {
				w.drop = append(w.drop, e.ID) // the files say so themselves by now
			}
		}
		for _, id := range out.Orphans {
			w.warnings = append(w.warnings, fmt.Sprintf("what was set for %s is dropped: there is no such endpoint any more", id))
		}
		if src == (Source{}) {
			w.files, err = digest(files)
		}
		return w, err
	})
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
// endpoints that were disabled.
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
		for id := range b.disabled {
			if !slices.Contains(w.disable, id) {
				w.enable = append(w.enable, id)
			}
		}
		for id := range b.overrides {
			if _, again := w.set[id]; !again {
				w.drop = append(w.drop, id)
			}
		}
		return w, nil
	})
}
