package route

import (
	"math"
	"math/rand/v2"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// Shape is what a request will probably use, as far as it is known before it is
// sent. The policy cost goes by it.
type Shape struct {
	// Prompt is an estimate of its prompt tokens, Sent of those among them that
	// an earlier request of the conversation had.
	Prompt, Sent int64
	// MaxCompletion is the longest answer that it allows, 0 if it does not say.
	MaxCompletion int64
	// Streamed requests are compared by their first token, others by the complete answer.
	Streamed bool
}

// rank is an endpoint's standing under the model's policy. Those that are behind
// come after all others, then the lower value is first.
func (w *Constraints) rank(m *snapshot.Model, e *snapshot.Endpoint) (behind bool, value float64) {
	switch m.Policy {
	case snapshot.Priority:
		load, ok := e.State.ServerLoad(w.Now)
		return ok && load.Overloaded() || w.returning(m, e), float64(e.Priority)
	case snapshot.Cost:
		return w.returning(m, e), w.cost(m, e)
	case snapshot.Weighted, snapshot.LeastBusy, snapshot.Latency:
	}
	return false, 0
}

// returning reports whether the request is one of those that an endpoint which
// has just come back does not get yet.
func (w *Constraints) returning(m *snapshot.Model, e *snapshot.Endpoint) bool {
	share := e.State.Share(w.Now)
	if share >= 1 {
		return false
	}
	if affinity := w.Affinity(m); affinity != 0 {
		return unit(affinity) > share
	}
	return rand.Float64() > share
}

// cost is what the request will cost at an endpoint, in pico-dollars. With
// affinity a conversation stays where it is, so that what was sent before is
// read from a cache.
func (w *Constraints) cost(m *snapshot.Model, e *snapshot.Endpoint) float64 {
	if e.Price == nil {
		return math.Inf(1)
	}
	completion := m.Answers.Mean()
	if w.Shape.MaxCompletion > 0 {
		completion = min(completion, w.Shape.MaxCompletion)
	}
	bill := price.Bill{Unix: w.Now.Unix(), Used: price.Used{Prompt: w.Shape.Prompt, Completion: completion}}
	if w.Affinity(m) != 0 {
		bill.CacheRead = w.Shape.Sent
	}
	cost := e.Price.Cost(&bill)
	if cost.Source == wire.CostSourceUnknown || cost.Source == wire.CostSourcePartial {
		return math.Inf(1)
	}
	return float64(cost.Total())
}

// order puts the endpoints in the order in which they are tried: by their keys,
// and those of equal standing by the policy.
func (f *field) order(m *snapshot.Model, w *Constraints) {
	list := f.list[:f.n]
	sortBy(list, func(a, b *entrant) bool { return a.key.before(&b.key) })
	affinity := w.Affinity(m)
	for from, to := 0, 0; from < len(list); from = to {
		for to = from + 1; to < len(list) && list[to].key == list[from].key; to++ {
		}
		equal := list[from:to]
		if len(equal) < 2 {
			continue
		}
		d := newDrawing(equal, affinity, w.Now)
		for i := range equal {
			equal[i].lot = d.lot(equal[i].endpoint)
		}
		switch {
		case m.Policy == snapshot.LeastBusy, m.Policy == snapshot.Latency:
			w.compare(m, equal, affinity)
		case m.Policy == snapshot.Weighted && affinity == 0:
			first := 0
			for i := range equal {
				if equal[i].lot < equal[first].lot {
					first = i
				}
			}
			toFront(equal, first)
			return // the fallbacks stay in the order of the configuration
		default:
			sortBy(equal, func(a, b *entrant) bool { return a.lot < b.lot })
		}
	}
}

// compare orders endpoints by a measurement: the better of the two that draw
// the least lots is first, the others follow by their values. Comparing two
// rather than all keeps nodes and requests from all going to the same one.
func (w *Constraints) compare(m *snapshot.Model, list []entrant, affinity uint64) {
	worse := func(home, other float64) bool { return other < home }
	if m.Policy == snapshot.LeastBusy {
		limited := true
		for i := range list {
			limited = limited && list[i].endpoint.MaxConcurrency > 0
		}
		for i := range list {
			list[i].value = w.busy(list[i].endpoint, limited)
		}
		if affinity != 0 { // its lot is one of a crowd's already, if it has more than its share
			worse = func(home, other float64) bool { return home >= queued && other < queued }
		}
	} else {
		for i := range list {
			list[i].value = list[i].endpoint.State.Latency(w.Shape.Streamed).Estimate(w.Now)
		}
		if affinity != 0 {
			worse = muchSlower
		}
	}
	sortBy(list, func(a, b *entrant) bool { return a.lot < b.lot })
	if worse(list[0].value, list[1].value) {
		toFront(list, 1)
	}
	sortBy(list[1:], func(a, b *entrant) bool { return a.value < b.value })
}

// muchSlower reports whether a request leaves the endpoint that has its cache
// for another of known latency.
func muchSlower(home, other float64) bool {
	const least = 50 // ms
	return other > 0 && home > 2*other+least && !math.IsInf(home, 1)
}

// queued is more than any load of an endpoint whose server has no queue.
const queued = 1e9

// busy is an endpoint's load: its requests in proportion to max_concurrency, or
// to the weight where not all have one. What its server says counts where it is
// more: others may use it, too.
func (w *Constraints) busy(e *snapshot.Endpoint, limited bool) float64 {
	n := float64(e.State.InFlight.Load())
	load, known := e.State.ServerLoad(w.Now)
	n = max(n, load.Running+load.Waiting)
	share := e.State.Share(w.Now)
	if share < 1 {
		n++ // also one that has nothing to do yet gets its share only
	}
	capacity := e.Weight * share
	if limited {
		capacity = float64(e.MaxConcurrency) * share
	}
	n /= capacity
	if known && load.Overloaded() {
		n += queued
	}
	return n
}

// sortBy sorts a short list and keeps the order of equals.
func sortBy(list []entrant, before func(a, b *entrant) bool) {
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && before(&list[j], &list[j-1]); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// toFront moves one to the front and keeps the order of the others.
func toFront(list []entrant, i int) {
	first := list[i]
	copy(list[1:i+1], list[:i])
	list[0] = first
}
