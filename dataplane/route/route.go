// Package route picks where a request may go, and in which order.
package route

import (
	"math/rand/v2"

	"github.com/hybridinference/gateway/dataplane/snapshot"
)

// MaxCandidates bounds how many endpoints one request can try.
const MaxCandidates = 16

// Candidate is one endpoint that may answer, with the model it answers as.
type Candidate struct {
	Model    *snapshot.Model
	Endpoint *snapshot.Endpoint
}

// Plan is the order in which candidates are tried: the first chosen at random
// by weight, the others as fallbacks in the order of the configuration. It
// has its own memory, so that planning allocates nothing.
type Plan struct {
	list [MaxCandidates]Candidate
	n    int
}

// Reset empties the plan.
func (p *Plan) Reset() { *p = Plan{} }

// Candidates returns the plan's content.
func (p *Plan) Candidates() []Candidate { return p.list[:p.n] }

// Add plans one model's endpoints after what is there already.
func (p *Plan) Add(m *snapshot.Model) {
	first := choose(m, rand.Float64())
	if first < 0 {
		return
	}
	p.push(m, m.Endpoints[first])
	for i, e := range m.Endpoints {
		if i != first {
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

// choose returns the index of the endpoint in whose share of the total weight
// point lies, -1 if there is none.
func choose(m *snapshot.Model, point float64) int {
	point *= m.Total
	for i, e := range m.Endpoints {
		if point < e.Weight {
			return i
		}
		point -= e.Weight
	}
	return len(m.Endpoints) - 1 // rounding
}
