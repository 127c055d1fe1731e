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

// Plan is the order in which candidates are tried: the first chosen by weight,
// at random or by the session, the others as fallbacks in the order of the configuration. It
// has its own memory, so that planning allocates nothing.
type Plan struct {
	list [MaxCandidates]Candidate
	keys [MaxCandidates]key // of a plan by preferences
	n    int
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
	p.n, p.Considered, p.Excluded, p.Waiting = 0, 0, 0, Candidate{}
}

// Candidates returns the plan's content.
func (p *Plan) Candidates() []Candidate { return p.list[:p.n] }

// Drop removes the candidates that a limit applies to, for one model or provider.
func (p *Plan) Drop(applies func(Candidate) bool) {
	n := len(slices.DeleteFunc(p.list[:p.n], applies))
	clear(p.list[n:p.n])
	p.n = n
}

// Add plans one model's endpoints after what is there already: those that are
// available. If none is, those that only a health check has taken out: it may
// be mistaken, an open breaker or a cool-down is not. The requests of one
// session, which is the Hash of its name, keep to one endpoint.
func (p *Plan) Add(m *snapshot.Model, session uint64, now time.Time) {
	p.Considered += len(m.Endpoints)
	first := choose(m, session, now)
	if first < 0 {
		for _, e := range m.Endpoints {
			if p.admits(m, e, now) {
				p.push(m, e)
			}
		}
		return
	}
	p.push(m, m.Endpoints[first])
	for i, e := range m.Endpoints {
		if i != first && e.Available(now) {
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

// choose returns the index of the available endpoint that goes first, -1 if
// there is none.
func choose(m *snapshot.Model, session uint64, now time.Time) int {
	d := newDrawing(m, session, now)
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
