package publish

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/shared/wire"
)

// SetPolicy overrides how endpoints of a model are chosen: its policy, its
// affinity or both; "" leaves what it has. Model is an id or alias. What the
// files say anyway is no override.
func (p *Publisher) SetPolicy(ctx context.Context, c Change, model string, set wire.Selection) (Result, error) {
	return p.change(ctx, c, func(b *basis) (*plan, error) {
		m, err := FindModel(b.snapshot(), model)
		if err != nil {
			return nil, err
		}
		if err := checkSelection(m, set); err != nil {
			return nil, err
		}
		if set.Policy != "" && set.Policy != wire.PolicyWeighted {
			if err := b.noRollout(ctx, m); err != nil { // its steps are weights
				return nil, err
			}
		}
		own := overriding(set.Or(b.Selections[m.ID]), m.Configured)
		w := &plan{selections: map[string]wire.Selection{m.ID: own}, action: "policy.set", target: m.ID}
		w.snapshot = reselected(b.snapshot(), w.selections)
		return w, nil
	})
}

// ResetPolicy returns to the policy and affinity of the files: for a model, or
// for all of them if it is "".
func (p *Publisher) ResetPolicy(ctx context.Context, c Change, model string) (Result, error) {
	return p.change(ctx, c, func(b *basis) (*plan, error) {
		w := &plan{selections: map[string]wire.Selection{}, action: "policy.reset"}
		for id := range b.Selections {
			w.selections[id] = wire.Selection{}
		}
		if model != "" {
			m, err := FindModel(b.snapshot(), model)
			if err != nil {
				return nil, err
			}
			w.target = m.ID
			maps.DeleteFunc(w.selections, func(id string, _ wire.Selection) bool { return id != m.ID })
		}
		w.snapshot = reselected(b.snapshot(), w.selections)
		return w, nil
	})
}

func checkSelection(m *wire.Model, set wire.Selection) error {
	policies, affinities := strings.Join(wire.Policies(), ", "), strings.Join(wire.Affinities(), ", ")
	switch {
	case set == (wire.Selection{}):
		return invalid("no policy or affinity specified for %s; policies: %s; affinities: %s", m.ID, policies, affinities)
	case set.Policy != "" && !slices.Contains(wire.Policies(), set.Policy):
		return invalid("policy must be one of %s, got %q", policies, set.Policy)
	case set.Affinity != "" && !slices.Contains(wire.Affinities(), set.Affinity):
		return invalid("affinity must be one of %s, got %q", affinities, set.Affinity)
	}
	return nil
}

// overriding is what of a selection differs from what holds without it.
func overriding(set, configured wire.Selection) wire.Selection {
	if set.Policy == configured.Effective().Policy {
		set.Policy = ""
	}
	without := wire.Selection{Policy: set.Policy}.Or(configured).Effective()
	if set.Affinity == without.Affinity {
		set.Affinity = ""
	}
	return set
}

// reselected returns a copy of a snapshot with overrides of policies by model; an
// empty one is what the files say.
func reselected(s *wire.Snapshot, by map[string]wire.Selection) wire.Snapshot {
	out := *s
	out.Models = slices.Clone(s.Models)
	for i := range out.Models {
		m := &out.Models[i]
		if own, ok := by[m.ID]; ok {
			m.Selection = own.Or(m.Configured)
		}
	}
	return out
}

// settleSelections brings the overrides of policies in line with new files: those
// of models that are gone are dropped, and what the files say by now.
func (w *plan) settleSelections(b *basis) {
	w.selections = map[string]wire.Selection{}
	for _, id := range slices.Sorted(maps.Keys(b.Selections)) {
		i := slices.IndexFunc(w.snapshot.Models, func(m wire.Model) bool { return m.ID == id })
		if i < 0 {
			w.selections[id] = wire.Selection{}
			w.warnings = append(w.warnings, "the policy set for "+id+" is dropped: the model no longer exists")
			continue
		}
		m := &w.snapshot.Models[i]
		if own := overriding(b.Selections[id], m.Configured); own != b.Selections[id] {
			w.selections[id], m.Selection = own, own.Or(m.Configured)
		}
	}
}

// restoreSelections sets the overrides of policies as the plan's snapshot has them.
func (w *plan) restoreSelections(b *basis) {
	w.selections = map[string]wire.Selection{}
	for id := range b.Selections {
		w.selections[id] = wire.Selection{}
	}
	for i := range w.snapshot.Models {
		if m := &w.snapshot.Models[i]; m.Selection != m.Configured {
			w.selections[m.ID] = overriding(m.Selection, m.Configured)
		}
	}
}
