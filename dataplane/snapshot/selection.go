package snapshot

import (
	"sync/atomic"

	"github.com/hybridinference/gateway/shared/wire"
)

// Policy is how one of a model's endpoints is chosen.
type Policy uint8

// The policies, as in the wire's words.
const (
	Weighted Policy = iota
	Priority
	LeastBusy
	Latency
	Cost
)

// Affinity is which requests keep to one endpoint.
type Affinity uint8

// The affinities, as in the wire's words.
const (
	BySession Affinity = iota
	ByPrefix
	NoAffinity
)

// selectionOf compiles words. Those of a newer control plane are the defaults.
func selectionOf(s wire.Selection) (p Policy, a Affinity) {
	switch s.Policy {
	case wire.PolicyPriority:
		p = Priority
	case wire.PolicyLeastBusy:
		p = LeastBusy
	case wire.PolicyLatency:
		p = Latency
	case wire.PolicyCost:
		p = Cost
	}
	switch s.Affinity {
	case wire.AffinityPrefix:
		a = ByPrefix
	case wire.AffinityNone:
		a = NoAffinity
	}
	return p, a
}

// usualAnswer is the length of an answer of a model that has not answered yet.
const usualAnswer = 1000

// Answers is the usual length of a model's answers, in tokens.
type Answers struct{ mean atomic.Int64 }

// NewAnswers returns the length of a model that has not answered yet.
func NewAnswers() *Answers {
	a := &Answers{}
	a.mean.Store(usualAnswer)
	return a
}

// Mean is the usual length.
func (a *Answers) Mean() int64 { return a.mean.Load() }

// Note takes in an answer. Two at the same time may count as one.
func (a *Answers) Note(completion int64) {
	before := a.mean.Load()
	a.mean.Store(max(1, before+(completion-before)/16))
}
