package route

import (
	"math"
	"slices"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

// Target is a model that a request may be answered by, with the sort that its
// id asked for (":nitro"), if any.
type Target struct {
	Model *snapshot.Model
	Sort  Sort
}

// Constraints is what a request demands of its endpoint and what it prefers.
type Constraints struct {
	Preferences
	// Sent are the request's parameters.
	Sent chat.ParamSet
	// Session is the Hash of the session's name, Prefix that of the prompt's
	// beginning: what is alike keeps to one endpoint; 0 is none.
	Session, Prefix uint64
	// Shape is only needed where a model's policy asks for it.
	Shape Shape
	Now   time.Time
}

// key orders candidates: the one with the lower key comes first.
type key struct {
	// class is what counts before the value.
	class class
	// value is what the request, else the model's policy, sorts by.
	value float64
}

func (k *key) before(o *key) bool {
	if k.class != o.class {
		return k.class < o.class
	}
	return k.value < o.value
}

// class holds what distinguishes candidates, the most important in the highest
// bits.
type class uint64

const (
	// late endpoints have no room by the model's policy.
	late class = 1 << iota
	// lacking endpoints do not take the tools or the format that were sent.
	lacking
	// listed counts the places in provider.order, target those of the model in
	// the request.
	listed
	target class = 1 << 32
	// missed is a preferred_* threshold that is not met: behind all others, of
	// whatever model.
	missed class = 1 << 63
)

// iff is the class if it holds.
func (c class) iff(holds bool) class {
	if holds {
		return c
	}
	return 0
}

// maxField bounds how many endpoints of one model are compared.
const maxField = 64

// entrant is an endpoint that may be tried, with what decides its place.
type entrant struct {
	key      key
	endpoint *snapshot.Endpoint
	// lot decides among those of one key, value is what a policy measures.
	lot, value float64
}

// field are one model's endpoints that may be tried.
type field struct {
	list [maxField]entrant
	n    int
	used int // of the list, since it was cleared
}

// begin takes in the endpoints of another model.
func (f *field) begin() *field {
	f.n = 0
	return f
}

// clear lets go of the endpoints.
func (f *field) clear() {
	clear(f.list[:f.used])
	f.n, f.used = 0, 0
}

// Prefer plans the endpoints of all targets by a request's constraints. Like
// Add it keeps to available endpoints while a model has any.
func (p *Plan) Prefer(w *Constraints, targets []Target) {
	for i, t := range targets {
		if t.Sort == NotSorted {
			t.Sort = w.Sort
		}
		f := &p.field
		p.enter(w, t, i)
		if w.NoFallbacks && len(w.Order) == 0 {
			f.n = min(f.n, 1)
		}
		for j := range f.n {
			p.insert(f.list[j].key, Candidate{t.Model, f.list[j].endpoint})
		}
	}
}

// enter takes in the endpoints of a target that the constraints allow, in their order.
func (p *Plan) enter(w *Constraints, t Target, place int) {
	f, allowed := p.field.begin(), 0
	for _, e := range t.Model.Endpoints {
		p.Considered++
		if reason := w.Excludes(e); reason != 0 {
			p.Excluded |= reason
			continue
		}
		allowed++
		if e.Available(w.Now) {
			f.add(w.key(t, place, e), e)
		}
	}
	if f.n == 0 && allowed > 0 {
		for _, e := range t.Model.Endpoints {
			if w.Excludes(e) == 0 && p.admits(t.Model, e, w.Now) {
				f.add(w.key(t, place, e), e)
			}
		}
	}
	if t.Model.Queue != nil && (f.n == 0 || !w.NoFallbacks) { // what is full can be waited for
		for _, e := range t.Model.Endpoints {
			if e.State.Available(w.Now) && w.Excludes(e) == 0 && !slices.ContainsFunc(f.list[:f.n], func(o entrant) bool { return o.endpoint == e }) {
				f.add(w.key(t, place, e), e)
			}
		}
	}
	if t.Sort == NotSorted {
		f.order(t.Model, w)
	} else {
		sortBy(f.list[:f.n], func(a, b *entrant) bool { return a.key.before(&b.key) })
	}
}

func (f *field) add(k key, e *snapshot.Endpoint) {
	if f.n < maxField {
		f.list[f.n] = entrant{key: k, endpoint: e}
		f.n++
		f.used = max(f.used, f.n)
	}
}

// key compares an endpoint with others.
func (w *Constraints) key(t Target, place int, e *snapshot.Endpoint) key {
	k := key{class: listed*class(w.listed(e)) + missed.iff(w.missed(e)) + lacking.iff(t.Model.Uneven&w.Sent&^e.Takes != 0)}
	if !w.Across || t.Sort == NotSorted {
		k.class += target * class(place)
	}
	stats := &e.State.Stats
	switch t.Sort {
	case ByPrice:
		if k.value = math.Inf(1); e.Price != nil {
			k.value = e.Price.Now(w.Now).PerToken()
		}
	case ByThroughput:
		k.value = -lately(math.Inf(1), w.Now, stats.Throughput)
	case ByLatency:
		k.value = lately(math.Inf(-1), w.Now, stats.Latency)
	case ByQuality:
		k.value = -100
		if up, ok := stats.Uptime(w.Now, upstream.HalfHour); ok {
			k.value = -up
		}
	case NotSorted:
		behind, value := w.rank(t.Model, e)
		k.class, k.value = k.class+late.iff(behind), value
	}
	return k
}

// lately returns the median of the last minutes in which there was anything to
// measure. An endpoint of which nothing is known is tried, so that it becomes
// known.
func lately(unknown float64, now time.Time, of func(time.Time, upstream.Window) (upstream.Percentiles, bool)) float64 {
	for _, w := range [...]upstream.Window{upstream.FiveMinutes, upstream.HalfHour} {
		if p, ok := of(now, w); ok {
			return p.P50
		}
	}
	return unknown
}

// missed reports whether an endpoint is known not to meet a preferred_* threshold.
func (w *Constraints) missed(e *snapshot.Endpoint) bool {
	if w.MinThroughput.wanted() {
		if p, ok := e.State.Stats.Throughput(w.Now, upstream.FiveMinutes); ok && w.MinThroughput.missed(p) {
			return true
		}
	}
	if w.MaxLatency.wanted() {
		const ms = 1000
		if p, ok := e.State.Stats.Latency(w.Now, upstream.FiveMinutes); ok &&
			w.MaxLatency.exceeded(upstream.Percentiles{P50: p.P50 / ms, P75: p.P75 / ms, P90: p.P90 / ms, P99: p.P99 / ms}) {
			return true
		}
	}
	return false
}

// listed is an endpoint's place in provider.order, its length if it has none.
func (w *Constraints) listed(e *snapshot.Endpoint) int {
	for i, slug := range w.Order {
		if e.Named(slug) {
			return i
		}
	}
	return len(w.Order)
}

// insert puts a candidate in its place. When the plan is full the last goes.
func (p *Plan) insert(k key, c Candidate) {
	i := p.n
	if p.n == MaxCandidates {
		i--
		if !k.before(&p.keys[i]) {
			return
		}
	} else {
		p.n++
	}
	for ; i > 0 && k.before(&p.keys[i-1]); i-- {
		p.keys[i], p.list[i] = p.keys[i-1], p.list[i-1]
	}
	p.keys[i], p.list[i] = k, c
}
