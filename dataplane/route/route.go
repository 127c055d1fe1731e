// Package route picks where a request may go, and in which order.
package route

import (
	"slices"
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
)

// MaxCandidates bounds how many endpoints one request can try.
const MaxCandidates = 16

// MaxModels bounds how many models one request can name: the model and
// three fallbacks.
const MaxModels = 4

// Candidate is one endpoint that may answer, with the model it answers as.
type Candidate struct {
	Model    *snapshot.Model
	Endpoint *snapshot.Endpoint
}

// Plan is the order in which candidates are tried: the first by the model's
// policy, the others as fallbacks. It has its own memory, so that planning
// allocates nothing.
type Plan struct {
	list [MaxCandidates]Candidate
	keys [MaxCandidates]key // of a plan by preferences
	n    int
	// field is the memory for one model's endpoints.
	field field
	// Considered is how many endpoints there were to choose from, Excluded
	// what ruled some of them out.
	Considered int
	Excluded   Exclusions
	// Waiting is, of the endpoints that would do and get no request now, the one
	// that comes back first: what a client waits for if the plan is empty.
	Waiting Candidate
}

// Reset empties the plan.
func (p *Plan) Reset() {
	clear(p.list[:p.n])
	p.field.clear()
	p.n, p.Considered, p.Excluded, p.Waiting = 0, 0, 0, Candidate{}
}

// Candidates returns the plan's content.
func (p *Plan) Candidates() []Candidate { return p.list[:p.n] }

// Only plans one endpoint, whether it admits a request now or not.
func (p *Plan) Only(c Candidate) {
	p.Reset()
	p.push(c.Model, c.Endpoint)
}

// Drop removes the candidates that a limit applies to, for one model or provider.
func (p *Plan) Drop(applies func(Candidate) bool) {
	n := len(slices.DeleteFunc(p.list[:p.n], applies))
	clear(p.list[n:p.n])
	p.n = n
}

// Add plans one model's endpoints after what is there already, for a request
// without preferences: those that are available. If none is, those that only a
// health check has taken out: it may be mistaken, an open breaker or a cool-down
// is not. Their order is by the model's policy and affinity.
func (p *Plan) Add(m *snapshot.Model, w *Constraints) {
	p.addPlaced(m, w)
	p.addFull(m, w.Now)
}

// addPlaced plans the endpoints that have room.
func (p *Plan) addPlaced(m *snapshot.Model, w *Constraints) {
	p.Considered += len(m.Endpoints)
	if m.Policy == snapshot.Weighted && w.Affinity(m) == 0 {
		p.draw(m, w.Now)
		return
	}
	f := p.field.begin()
	for _, e := range m.Endpoints {
		if e.Available(w.Now) {
			behind, value := w.rank(m, e)
			f.add(key{class: late.iff(behind), value: value}, e)
		}
	}
	if f.n == 0 {
		p.lastResort(m, w.Now)
		return
	}
	f.order(m, w)
	for i := range f.n {
		p.push(m, f.list[i].endpoint)
	}
}

// draw plans by weight: one is first, the others follow in the order of the
// configuration.
func (p *Plan) draw(m *snapshot.Model, now time.Time) {
	first := choose(m, now)
	if first < 0 {
		p.lastResort(m, now)
		return
	}
	p.push(m, m.Endpoints[first])
	for i, e := range m.Endpoints {
		if i != first && e.Available(now) {
			p.push(m, e)
		}
	}
}

// addFull plans, last, the endpoints that a request can wait for in the model's
// queue: those that lack nothing but room.
func (p *Plan) addFull(m *snapshot.Model, now time.Time) {
	if m.Queue == nil {
		return
	}
	for _, e := range m.Endpoints {
		if e.State.Available(now) && !slices.Contains(p.list[:p.n], Candidate{m, e}) {
			p.push(m, e)
		}
	}
}

// lastResort plans the endpoints of a model of which none is available.
func (p *Plan) lastResort(m *snapshot.Model, now time.Time) {
	for _, e := range m.Endpoints {
		if p.admits(m, e, now) {
			p.push(m, e)
		}
	}
}

// admits reports whether an endpoint can take a request, and notes when it will
// if it cannot.
func (p *Plan) admits(m *snapshot.Model, e *snapshot.Endpoint, now time.Time) bool {
	if e.Admits(now) {
		return true
	}
	if p.Waiting.Endpoint == nil || e.State.Until(now).Before(p.Waiting.Endpoint.State.Until(now)) {
		p.Waiting = Candidate{m, e}
	}
	return false
}

func (p *Plan) push(m *snapshot.Model, e *snapshot.Endpoint) {
	if p.n < MaxCandidates {
		p.list[p.n] = Candidate{m, e}
		p.n++
	}
}

// choose returns the index of the available endpoint that goes first by weight,
// -1 if there is none.
func choose(m *snapshot.Model, now time.Time) int {
	d := drawing{now: now}
	best, least := -1, 0.0
	for i, e := range m.Endpoints {
		if !e.Available(now) {
			continue
		}
		if lot := d.lot(e); best < 0 || lot < least {
			best, least = i, lot
		}
	}
	return best
}
