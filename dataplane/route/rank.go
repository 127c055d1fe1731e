package route

import (
	"math"
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
	// Session is the Hash of the session's name, whose requests keep to one
	// endpoint; 0 is none.
	Session uint64
	Now     time.Time
}

// key orders candidates: the one with the lower key comes first.
type key struct {
	// missed is a preferred_* threshold that is not met: behind all others, of
	// whatever model.
	missed bool
	// target is the place of the model in the request, listed that of the
	// endpoint in provider.order.
	target, listed int
	// lacking endpoints do not take the tools or the format that were sent.
	lacking bool
	// value is what is sorted by.
	value float64
}

func (k *key) before(o *key) bool {
	switch {
	case k.missed != o.missed:
		return o.missed
	case k.target != o.target:
		return k.target < o.target
	case k.listed != o.listed:
		return k.listed < o.listed
	case k.lacking != o.lacking:
		return o.lacking
	}
	return k.value < o.value
}

// maxField bounds how many endpoints of one model are compared.
const maxField = 64

// field are one model's endpoints that may be tried.
type field struct {
	keys [maxField]key
	list [maxField]*snapshot.Endpoint
	n    int
}

// Prefer plans the endpoints of all targets by a request's constraints. Like
// Add it keeps to available endpoints while a model has any.
func (p *Plan) Prefer(w *Constraints, targets []Target) {
	for i, t := range targets {
		if t.Sort == NotSorted {
			t.Sort = w.Sort
		}
		var f field
		p.enter(&f, w, t, i)
		switch {
		case f.n == 0:
		case w.NoFallbacks && len(w.Order) == 0:
			p.insert(f.keys[f.best()], Candidate{t.Model, f.list[f.best()]})
		default:
			for j := range f.n {
				p.insert(f.keys[j], Candidate{t.Model, f.list[j]})
			}
		}
	}
}

// enter takes in the endpoints of a target that the constraints allow.
func (p *Plan) enter(f *field, w *Constraints, t Target, place int) {
	allowed := 0
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
	if t.Sort == NotSorted {
		f.draw(newDrawing(t.Model, w.Session, w.Now))
	}
}

func (f *field) add(k key, e *snapshot.Endpoint) {
	if f.n < maxField {
		f.keys[f.n], f.list[f.n] = k, e
		f.n++
	}
}

// best returns the index of the lowest key.
func (f *field) best() int {
	best := 0
	for i := 1; i < f.n; i++ {
		if f.keys[i].before(&f.keys[best]) {
			best = i
		}
	}
	return best
}

// draw puts one of the foremost endpoints, which differ in weight only, ahead
// of the others.
func (f *field) draw(d drawing) {
	if f.n == 0 {
		return
	}
	foremost, first, least := f.keys[f.best()], -1, 0.0
	for i := range f.n {
		if f.keys[i] != foremost {
			continue
		}
		if lot := d.lot(f.list[i]); first < 0 || lot < least {
			first, least = i, lot
		}
	}
	f.keys[first].value = -1
}

// key compares an endpoint with others.
func (w *Constraints) key(t Target, place int, e *snapshot.Endpoint) key {
	k := key{target: place, listed: w.listed(e), missed: w.missed(e), lacking: t.Model.Uneven&w.Sent&^e.Takes != 0}
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
	}
	if w.Across && t.Sort != NotSorted {
		k.target = 0
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
