package compile

import (
	"fmt"
	"strconv"

	"github.com/hybridinference/gateway/shared/wire"
)

// Diff says in words what a new snapshot changes, one line a change, in the
// order of the configuration. Equal snapshots give none.
func Diff(from, to *wire.Snapshot) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if from.DefaultModel != to.DefaultModel {
		say("default model: %s -> %s", orNone(from.DefaultModel), orNone(to.DefaultModel))
	}
	if was, is := healthCheck(&from.HealthCheck), healthCheck(&to.HealthCheck); was != is {
		say("health check: %s -> %s", was, is)
	}
	for i := range to.Models {
		m := &to.Models[i]
		if old := find(from.Models, m.ID, modelID); old == nil {
			say("model %s: added with %d endpoints", m.ID, len(m.Endpoints))
		} else {
			out = append(out, diffModel(old, m)...)
		}
	}
	for i := range from.Models {
		if id := from.Models[i].ID; find(to.Models, id, modelID) == nil {
			say("model %s: removed", id)
		}
	}
	return out
}

func modelID(m *wire.Model) string       { return m.ID }
func endpointID(e *wire.Endpoint) string { return e.ID }

func find[T any](list []T, id string, key func(*T) string) *T {
	for i := range list {
		if key(&list[i]) == id {
			return &list[i]
		}
	}
	return nil
}

// healthCheck is one in words.
func healthCheck(h *wire.HealthCheck) string {
	text := fmt.Sprintf("every %d ms", h.IntervalMS)
	if h.Path != "" {
		text += " of " + h.Path
	}
	if len(h.Statuses) > 0 {
		text += fmt.Sprintf(" for %d", h.Statuses)
	}
	if h.Metrics != "" {
		text += ", load from " + h.Metrics
	}
	if h.TimeoutMS > 0 {
		text += fmt.Sprintf(" within %d ms", h.TimeoutMS)
	}
	return text
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func diffModel(from, to *wire.Model) []string {
	var out []string
	for i := range to.Endpoints {
		e := &to.Endpoints[i]
		old := find(from.Endpoints, e.ID, endpointID)
		switch {
		case old == nil:
			out = append(out, fmt.Sprintf("endpoint %s: added %s", e.ID, as(e)))
		case !old.Disabled() && e.Disabled():
			out = append(out, fmt.Sprintf("endpoint %s: disabled, weight %s is kept", e.ID, weight(e.Intended())))
		case old.Disabled() && !e.Disabled():
			out = append(out, fmt.Sprintf("endpoint %s: enabled with weight %s", e.ID, weight(e.Weight)))
		case old.Intended() != e.Intended():
			out = append(out, fmt.Sprintf("endpoint %s: weight %s -> %s%s", e.ID, weight(old.Intended()), weight(e.Intended()), whileDisabled(e)))
		case old.Configured != e.Configured: // an override hides it
			out = append(out, fmt.Sprintf("endpoint %s: configured weight %s -> %s", e.ID, weight(old.Configured), weight(e.Configured)))
		}
		if old != nil && old.Shadow != e.Shadow {
			out = append(out, fmt.Sprintf("endpoint %s: shadow %s -> %s", e.ID, shadow(old), shadow(e)))
		}
		if old != nil && !sameEndpoint(old, e) {
			out = append(out, fmt.Sprintf("endpoint %s: settings changed", e.ID))
		}
	}
	for i := range from.Endpoints {
		if id := from.Endpoints[i].ID; find(to.Endpoints, id, endpointID) == nil {
			out = append(out, fmt.Sprintf("endpoint %s: removed", id))
		}
	}
	out = append(out, diffSelection(to.ID, from, to)...)
	if !sameModel(from, to) {
		out = append(out, fmt.Sprintf("model %s: settings changed", to.ID))
	}
	return out
}

// as says what traffic a new endpoint gets.
func as(e *wire.Endpoint) string {
	if e.Shadow > 0 {
		return "as a shadow of " + Share(e.Shadow)
	}
	return "with weight " + weight(e.Weight)
}

// shadow is the share of a shadow in words.
func shadow(e *wire.Endpoint) string {
	if e.Shadow == 0 {
		return "none"
	}
	return Share(e.Shadow)
}

func whileDisabled(e *wire.Endpoint) string {
	if e.Disabled() {
		return " once it is enabled"
	}
	return ""
}

func weight(w float64) string { return strconv.FormatFloat(w, 'g', -1, 64) }

// sameEndpoint compares all but the shares of the traffic.
func sameEndpoint(a, b *wire.Endpoint) bool {
	x, y := *a, *b
	x.Weight, x.Configured, x.Held, x.Shadow, y.Weight, y.Configured, y.Held, y.Shadow = 0, 0, nil, 0, 0, 0, nil, 0
	return sameJSON(wire.Model{Endpoints: []wire.Endpoint{x}}, wire.Model{Endpoints: []wire.Endpoint{y}})
}

// diffSelection says how policy and affinity change. What an override hides is
// named as configured.
func diffSelection(model string, from, to *wire.Model) (out []string) {
	say := func(what, was, is string) {
		if was != is {
			out = append(out, fmt.Sprintf("model %s: %s %s -> %s", model, what, was, is))
		}
	}
	was, is := from.Effective(), to.Effective()
	say("policy", was.Policy, is.Policy)
	say("affinity", was.Affinity, is.Affinity)
	if was == is {
		was, is = from.Configured.Effective(), to.Configured.Effective()
		say("configured policy", was.Policy, is.Policy)
		say("configured affinity", was.Affinity, is.Affinity)
	}
	return out
}

// sameModel compares all but the endpoints and how they are chosen.
func sameModel(a, b *wire.Model) bool {
	x, y := *a, *b
	x.Endpoints, y.Endpoints = nil, nil
	x.Selection, x.Configured, y.Selection, y.Configured = wire.Selection{}, wire.Selection{}, wire.Selection{}, wire.Selection{}
	return sameJSON(x, y)
}

func sameJSON(a, b wire.Model) bool {
	x, errX := (&wire.Snapshot{Models: []wire.Model{a}}).Sum()
	y, errY := (&wire.Snapshot{Models: []wire.Model{b}}).Sum()
	return errX == nil && errY == nil && x == y
}
