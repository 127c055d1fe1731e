package dispatch

import (
	"time"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/shared/fault"
)

// Limits counts what the providers of endpoints allow.
type Limits struct {
	Registry *limits.Registry
	Clock    limits.Clock
}

// spent notes that providers allow no more at the moment.
type spent struct {
	any   bool
	until time.Time // when the first of them allows a request again
	// unknown says that of none of them it is known that they do not: it could not
	// be found out in time.
	unknown bool
}

// unknownWait is when it is tried again where it is not known when there is room.
const unknownWait = time.Second

// admit takes of what the endpoint's provider allows what the request needs;
// false if it allows no more.
func (r *Run) admit(a *attempt) bool {
	q := &r.request
	refused := q.Limits.Registry.Admit(a.Endpoint.Limits, &q.Need, q.Limits.Clock, &a.share)
	if refused == nil {
		return true
	}
	wait := refused.Retry
	if wait <= 0 {
		wait = unknownWait
	}
	at := time.Now().Add(wait)
	q.spent.unknown = refused.Outage && (q.spent.unknown || !q.spent.any)
	if !q.spent.any || at.Before(q.spent.until) {
		q.spent.until = at
	}
	q.spent.any = true
	return false
}

// forgive gives back what a failed attempt has not used of the provider's limits:
// a request that was never sent, tokens that were not processed. What became of
// those of an answer that broke off is not known.
func (r *Run) forgive(f *fault.Error) {
	switch a := &r.attempt; {
	case a.share.Empty():
	case f.Unsent:
		a.share.Release(r.request.Limits.Registry)
	case f.Status >= 400:
		a.share.Settle(r.request.Limits.Registry, &limits.Need{}, nil)
	}
}

// Counted reports whether the attempt has taken of the limits of a provider.
func (r *Run) Counted() bool { return !r.attempt.share.Empty() }

// Settle says how many tokens the answer has come to.
func (r *Run) Settle(tokens int64) {
	if a := &r.attempt; !a.share.Empty() {
		a.share.Settle(r.request.Limits.Registry, &limits.Need{Tokens: tokens}, nil)
	}
}

// allSpent is the fault of a request that was sent nowhere because providers
// allow no more: it says when the first endpoint of the plan admits one again.
func (r *Run) allSpent(now time.Time) *fault.Error {
	q := &r.request
	f := &fault.Error{Kind: fault.RateLimit, Message: "Every endpoint of the model has reached the limit of its provider", RetryAfter: max(time.Millisecond, q.spent.until.Sub(now))}
	if q.spent.unknown {
		f.Kind, f.Message = fault.Overloaded, "The limits of the model's providers cannot be checked at the moment"
	}
	for _, c := range q.Plan {
		if until := c.Endpoint.State.Until(now); until.After(now) {
			f.RetryAfter = min(f.RetryAfter, until.Sub(now))
		}
	}
	return f
}
