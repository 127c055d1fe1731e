package config

import "slices"

// Split is routing.yaml's fixed ratio between local and remote capacity. It is
// pure data: what it does to weights is for the caller, by these rules.
//
// For each model, endpoints that GroupOf calls Local share LocalFraction in
// equal parts, endpoints that it calls Remote share the rest; Shares has the
// arithmetic. Unlisted endpoints keep the weight of models.yaml and stand after
// the listed ones. A model without a listed endpoint is not changed at all.
type Split struct {
	// LocalFraction is in 0..1, 0.5 if absent.
	LocalFraction float64
	Local, Remote []Deployment
}

// Group is the side of the split on which an endpoint stands.
type Group uint8

// The groups.
const (
	Unlisted Group = iota
	Local
	Remote
)

// GroupOf returns the group of one of the model's routes: that of the entry
// with exactly the route's base URL and with the model's id or one of its
// aliases in its list.
func (s *Split) GroupOf(m *Model, r *Route) Group {
	answers := func(name string) bool { return name == m.ID || slices.Contains(m.Aliases, name) }
	lists := func(d Deployment) bool { return d.Endpoint == r.BaseURL && slices.ContainsFunc(d.Models, answers) }
	switch {
	case slices.ContainsFunc(s.Local, lists):
		return Local
	case slices.ContainsFunc(s.Remote, lists):
		return Remote
	default:
		return Unlisted
	}
}

// Shares returns the weight of each local and of each remote endpoint of a
// model that has so many of them. A group without endpoints leaves everything
// to the other one; its own share is 0.
func (s *Split) Shares(local, remote int) (eachLocal, eachRemote float64) {
	switch {
	case local > 0 && remote > 0:
		return s.LocalFraction / float64(local), (1 - s.LocalFraction) / float64(remote)
	case local > 0:
		return 1 / float64(local), 0
	case remote > 0:
		return 0, 1 / float64(remote)
	default:
		return 0, 0
	}
}

// conflicts finds what is listed on both sides.
func (s *Split) conflicts() Problems {
	type pair struct{ endpoint, model string }
	local := make(map[pair]Place)
	for _, d := range s.Local {
		for _, name := range d.Models {
			local[pair{d.Endpoint, name}] = d.At
		}
	}
	var out Problems
	for _, d := range s.Remote {
		for _, name := range d.Models {
			if at, both := local[pair{d.Endpoint, name}]; both {
				out = append(out, d.At.Problem("%s for %s is also listed as local on line %d", d.Endpoint, name, at.Line))
			}
		}
	}
	return out
}

// unmatched warns of entries that find no endpoint, which most often means that
// the address is written differently in models.yaml.
func unmatched(s *Split, models []Model) []Warning {
	byName := make(map[string]*Model)
	for i := range models {
		for _, name := range append(models[i].Aliases, models[i].ID) {
			byName[name] = &models[i]
		}
	}
	var out []Warning
	for _, d := range slices.Concat(s.Local, s.Remote) {
		for _, name := range d.Models {
			m := byName[name]
			if m == nil {
				out = append(out, d.At.warning("has no effect: unknown model %s%s", name, suggest(name, claimed(models))))
			} else if !slices.ContainsFunc(m.Routes, func(r Route) bool { return r.BaseURL == d.Endpoint }) {
				out = append(out, d.At.warning("has no effect: model %s has no endpoint at %s", name, d.Endpoint))
			}
		}
	}
	return out
}
