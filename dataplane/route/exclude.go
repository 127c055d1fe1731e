package route

import (
	"math"
	"slices"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/price"
)

// Exclusions is a set of preferences that left out endpoints.
type Exclusions uint16

// The preferences that can.
const (
	ByOnly Exclusions = 1 << iota
	ByIgnore
	ByOrder
	ByQuantizations
	ByMaxPrice
	ByDataCollection
	ByZDR
	ByDistillable
	ByParameters
)

// Names returns the members of the provider object.
func (x Exclusions) Names() []string {
	var out []string
	for _, n := range [...]struct {
		bit  Exclusions
		name string
	}{
		{ByOnly, "only"},
		{ByIgnore, "ignore"},
		{ByOrder, "order"},
		{ByQuantizations, "quantizations"},
		{ByMaxPrice, "max_price"},
		{ByDataCollection, "data_collection"},
		{ByZDR, "zdr"},
		{ByDistillable, "enforce_distillable_text"},
		{ByParameters, "require_parameters"},
	} {
		if x&n.bit != 0 {
			out = append(out, n.name)
		}
	}
	return out
}

// Excludes returns the first preference that rules an endpoint out, 0 if none
// does. A list that is empty says nothing.
func (w *Constraints) Excludes(e *snapshot.Endpoint) Exclusions {
	switch {
	case len(w.Only) > 0 && !slices.ContainsFunc(w.Only, e.Named):
		return ByOnly
	case slices.ContainsFunc(w.Ignore, e.Named):
		return ByIgnore
	case w.NoFallbacks && len(w.Order) > 0 && !slices.ContainsFunc(w.Order, e.Named):
		return ByOrder
	case len(w.Quantizations) > 0 && !slices.Contains(w.Quantizations, e.Quantization):
		return ByQuantizations
	case w.MaxPrice != nil && w.MaxPrice.below(e.Price.Now(w.Now)):
		return ByMaxPrice
	case w.NoCollection && !e.NoCollection:
		return ByDataCollection
	case w.ZDR && !e.ZDR:
		return ByZDR
	case w.Distillable: // no endpoint is known to allow it
		return ByDistillable
	case w.RequireParameters && w.Sent&snapshot.Routable()&^e.Takes != 0:
		return ByParameters
	}
	return 0
}

// below reports whether a price is above the limits. One that is not known is.
func (m *MaxPrice) below(s *price.Sheet) bool {
	for _, limit := range [...]struct {
		cell price.Cell
		most int64
	}{{price.Prompt, m.Prompt}, {price.Completion, m.Completion}, {price.Request, m.Request}, {price.Image, m.Image}} {
		if s.Price[limit.cell] > limit.most || limit.most < math.MaxInt64 && s.Unknown.Has(limit.cell) {
			return true
		}
	}
	return false
}
