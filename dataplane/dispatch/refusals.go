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
	q := &r.request
	for q.next < len(q.Plan) && (q.hedge.taken&(1<<q.next) != 0 || q.refused.has(q.Plan[q.next].Model)) {
		q.next++
	}
	return q.next < len(q.Plan)
}

// noCandidate is the fault when no candidate is left that admits a request now:
// that of the last attempt, or if there was none, when the first one will.
func (r *Run) noCandidate() *fault.Error {
	if r.request.last != nil {
		return r.final(r.request.last)
	}
	if r.request.line.refusal != nil {
		return r.request.line.refusal
	}
	if r.request.spent.any {
		return r.allSpent(time.Now())
	}
	return OutOfService(r.request.Plan, time.Now())
}

// OutOfService is the fault of a request that no candidate admits: it says when
// the first one does. Where that is the end of a cool-down it is the upstream's
// 429.
func OutOfService(plan []route.Candidate, now time.Time) *fault.Error {
	f := &fault.Error{Kind: fault.Overloaded, Message: "Every endpoint of the model is out of service"}
	for i, c := range plan {
		wait := max(0, c.Endpoint.State.Until(now).Sub(now))
		if i > 0 && wait >= f.RetryAfter {
			continue
		}
		f.RetryAfter = wait
		if cooling := c.Endpoint.State.Cooling(now); cooling != nil && cooling.Kind == fault.RateLimit {
			f.Kind, f.Message = fault.RateLimit, cooling.Message
		} else if c.Endpoint.Full() {
			f.Kind, f.Message = fault.Overloaded, "Every endpoint of the model is at capacity"
		}
	}
	f.RetryAfter = max(time.Second, f.RetryAfter)
	return f
}
