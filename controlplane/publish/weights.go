package publish

import (
	"context"
	"errors"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/shared/wire"
)

// maxWeight is the files' own bound.
const maxWeight = 1e12

// SetWeights overrides the weights of endpoints of one model. Endpoints that
// are not named keep theirs. Model is an id or alias, an endpoint its id or
// the part after the model's. A weight that the files give anyway is no override.
func (p *Publisher) SetWeights(ctx context.Context, c Change, model string, weights map[string]float64) (Result, error) {
	return p.change(ctx, c, func(b *basis) (*plan, error) {
		m, err := FindModel(b.snapshot(), model)
		if err != nil {
			return nil, err
		}
		set, err := resolve(m, weights)
		if err != nil {
			return nil, err
		}
		w := &plan{set: maps.Clone(set), action: "weights.set", target: m.ID}
		w.snapshot = reweighted(b.snapshot(), func(e *wire.Endpoint) {
			if weight, ok := set[e.ID]; ok {
				e.Reset(weight, e.Disabled())
			}
		})
		for i := range m.Endpoints {
			e := &m.Endpoints[i]
			if weight, named := set[e.ID]; named && weight == e.Configured {
				w.drop = append(w.drop, e.ID)
				delete(w.set, e.ID)
			}
		}
		return w, w.serves(m)
	})
}

// ResetWeights drops the overrides of a model, "" for those of all models.
func (p *Publisher) ResetWeights(ctx context.Context, c Change, model string) (Result, error) {
	return p.change(ctx, c, func(b *basis) (*plan, error) {
		w := &plan{action: "weights.reset", drop: slices.Sorted(maps.Keys(b.Weights))}
		if model != "" {
			m, err := FindModel(b.snapshot(), model)
			if err != nil {
				return nil, err
			}
			w.target = m.ID
			w.drop = slices.DeleteFunc(w.drop, func(id string) bool {
				return !slices.ContainsFunc(m.Endpoints, func(e wire.Endpoint) bool { return e.ID == id })
			})
		}
		w.snapshot = reweighted(b.snapshot(), func(e *wire.Endpoint) {
			if slices.Contains(w.drop, e.ID) {
				e.Reset(e.Configured, e.Disabled())
			}
		})
		return w, nil
	})
}

// reweighted returns a copy of a snapshot whose endpoints were changed.
func reweighted(s *wire.Snapshot, change func(*wire.Endpoint)) wire.Snapshot {
	out := *s
	out.Models = slices.Clone(s.Models)
	for i := range out.Models {
		m := &out.Models[i]
		m.Endpoints = slices.Clone(m.Endpoints)
		for j := range m.Endpoints {
			change(&m.Endpoints[j])
		}
	}
	return out
}

// serves is an error if the plan takes the last endpoint from a model that has one.
func (w *plan) serves(m *wire.Model) error {
	after, err := FindModel(&w.snapshot, m.ID)
	if err == nil && usable(m) && !usable(after) {
		err = invalid("no endpoint of %s would have a weight above 0: the model could not be served", m.ID)
	}
	return err
}

func usable(m *wire.Model) bool {
	return slices.ContainsFunc(m.Endpoints, func(e wire.Endpoint) bool { return e.Weight > 0 })
}

func endpoints(s *wire.Snapshot) iter.Seq[*wire.Endpoint] {
	return func(yield func(*wire.Endpoint) bool) {
		for i := range s.Models {
			for j := range s.Models[i].Endpoints {
				if !yield(&s.Models[i].Endpoints[j]) {
					return
				}
			}
		}
	}
}

// FindModel returns the model of an id or alias. The error lists what there is.
func FindModel(s *wire.Snapshot, name string) (*wire.Model, error) {
	ids := make([]string, len(s.Models))
	for i := range s.Models {
		m := &s.Models[i]
		if m.ID == name || slices.Contains(m.Aliases, name) {
			return m, nil
		}
		ids[i] = m.ID
	}
	if name == "" {
		return nil, invalid("no model specified; available: %s", strings.Join(ids, ", "))
	}
	return nil, invalid("model %q not found; available: %s", name, strings.Join(ids, ", "))
}

// resolve returns the weights by full endpoint ids.
func resolve(m *wire.Model, weights map[string]float64) (map[string]float64, error) {
	if len(weights) == 0 {
		return nil, invalid("no weights specified; endpoints of %s: %s", m.ID, parts(m))
	}
	var errs []error
	set := make(map[string]float64, len(weights))
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		weight := weights[name]
		id, ok := findEndpoint(m, name)
		if !ok {
			errs = append(errs, invalid("%s has no endpoint %q; available: %s", m.ID, name, parts(m)))
			continue
		}
		if e := find(m, id); e.Shadow > 0 {
			errs = append(errs, invalid("%s is a shadow and has no weight: remove shadow from its route in models.yaml to give it traffic", id))
		}
		if math.IsNaN(weight) || weight < 0 || weight > maxWeight {
			errs = append(errs, invalid("the weight of %s must be from 0 to %g, got %s", name, maxWeight, strconv.FormatFloat(weight, 'g', -1, 64)))
		}
		if _, twice := set[id]; twice {
			errs = append(errs, invalid("duplicate endpoint %s", id))
		}
		set[id] = weight
	}
	return set, errors.Join(errs...)
}

func findEndpoint(m *wire.Model, name string) (id string, ok bool) {
	for i := range m.Endpoints {
		if id := m.Endpoints[i].ID; id == name || strings.TrimPrefix(id, m.ID+":") == name {
			return id, true
		}
	}
	return "", false
}

// find returns the endpoint of an id that the model has.
func find(m *wire.Model, id string) *wire.Endpoint {
	return &m.Endpoints[slices.IndexFunc(m.Endpoints, func(e wire.Endpoint) bool { return e.ID == id })]
}

// parts lists a model's endpoints without the model.
func parts(m *wire.Model) string {
	if len(m.Endpoints) == 0 {
		return "none"
	}
	names := make([]string, len(m.Endpoints))
	for i := range m.Endpoints {
		names[i] = strings.TrimPrefix(m.Endpoints[i].ID, m.ID+":")
	}
	return strings.Join(names, ", ")
}
