package dispatch

import (
	"slices"
	"time"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/fault"
)

// refusals are the models that have refused a request in a way in which every
// endpoint of theirs would: too long, not allowed, malformed. Another model of
// the client's list may still take it.
type refusals struct {
	models [route.MaxModels]*snapshot.Model
	n      int
}

// note takes in what a model's endpoint said.
func (r *refusals) note(f *fault.Error, m *snapshot.Model) {
	if f.Kind.Failover() || r.has(m) || r.n == len(r.models) {
		return
	}
	r.models[r.n] = m
	r.n++
}

func (r *refusals) has(m *snapshot.Model) bool {
	return slices.Contains(r.models[:r.n], m)
}

// hasNext steps over the candidates of models that have refused and reports
// whether one is left.
func (r *Run) hasNext() bool {
	for r.next < len(r.plan) && r.refused.has(r.plan[r.next].Model) {
		r.next++
	}
	return r.next < len(r.plan)
}

// noCandidate is the fault when no candidate is left that may be tried now: that of
// the last attempt, or if there was none, when the first one can be.
func (r *Run) noCandidate() *fault.Error {
	if r.last != nil {
		return r.final(r.last)
	}
	return r.outOfService()
}

// outOfService says when the first candidate can be tried.
func (r *Run) outOfService() *fault.Error {
	message, wait := "Every endpoint of the model is out of service", time.Duration(0)
	for i, c := range r.plan {
		if d := c.Endpoint.State.Until(r.started).Sub(r.started); i == 0 || d < wait {
			wait = d
		}
		if c.Endpoint.Full() {
			message = "Every endpoint of the model is busy"
		}
	}
	return &fault.Error{Kind: fault.Overloaded, Message: message, RetryAfter: max(time.Second, wait)}
}
