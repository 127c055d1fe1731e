package catalog

import (
	"slices"
	"strings"

	"github.com/hybridinference/gateway/shared/wire"
)

// ShortID is the part of an endpoint's id after its model's.
func ShortID(m *wire.Model, e *wire.Endpoint) string { return strings.TrimPrefix(e.ID, m.ID+":") }

// slugs lists what a client may call an endpoint by: its provider and kind,
// each alone (then it means all their endpoints) or with the quantization, the
// upstream provider that it is pinned to, and its own id, short or whole.
func slugs(m *wire.Model, e *wire.Endpoint) []string {
	out := []string{wire.Slug(e.Provider), wire.Slug(e.Kind)}
	if e.Slug != "" {
		out = append(out, wire.Slug(e.Kind+"/"+e.Slug), wire.Slug(e.Slug))
	}
	if m.Quantization != "" {
		for _, base := range out {
			out = append(out, base+"/"+wire.Slug(m.Quantization))
		}
	}
	out = append(out, wire.Slug(ShortID(m, e)), wire.Slug(e.ID))
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}
