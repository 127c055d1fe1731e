// Package route picks where a request may go, and in which order.
package route

import (
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
}

// Reset empties the plan.
func (p *Plan) Reset() {
	clear(p.list[:p.n])
	p.n, p.Considered, p.Excluded = 0, 0, 0
}

// Candidates returns the plan's content.
func (p *Plan) Candidates() []Candidate { return p.list[:p.n] }

// Add plans one model's endpoints after what is there already: those whose
// breakers allow it. If none does, the one that comes back first is tried all
// the same, so that the gateway never locks itself out. The requests of one
// session, which is the Hash of its name, keep to one endpoint.
func (p *Plan) Add(m *snapshot.Model, session uint64, now time.Time) {
	p.Considered += len(m.Endpoints)
	first := choose(m, session, now)
	if first < 0 {
		if first = firstBack(m, now); first >= 0 {
			p.push(m, m.Endpoints[first])
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

// firstBack returns the index of the endpoint that becomes available first, -1
// if the model has none.
func firstBack(m *snapshot.Model, now time.Time) int {
	best := -1
	for i, e := range m.Endpoints {
		if best < 0 || e.State.Until(now).Before(m.Endpoints[best].State.Until(now)) {
			best = i
		}
	}
	return best
}
