package dispatch

import (
	"errors"
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

const (
	// shortWait is the longest Retry-After that a request waits for, once.
	shortWait = 5 * time.Second
	// redialWait is the pause before a connection is tried once more.
	redialWait = 100 * time.Millisecond
)

// shouldRetry decides, after an attempt that failed, whether there is another
// one, and where: with another key, at the next candidate or, where there is
// none, at the same endpoint once more.
func (r *Run) shouldRetry(f *fault.Error) bool {
	now := time.Now()
	r.noteRetryAfter(f, now)
	if r.request.content || f.Kind == fault.Canceled || r.overdue(now) {
		return false
	}
	if !r.retryKey(f, now) && !r.hasNext() && !r.mayQueue(now) && !r.retrySame(f, now) {
		return false
	}
	// What never reached an upstream was no work for it: nothing to save.
	budget := r.request.Policy.Budget
	return f.Unsent || budget == nil || budget.Take(now)
}

// retryKey stays at the endpoint if only its key was refused: for a new token,
// or for each other key once.
func (r *Run) retryKey(f *fault.Error, now time.Time) bool {
	q, a := &r.request, &r.attempt
	if a.credential == nil {
		return false
	}
	if !q.renewed && a.credential.Refused(f.Status, a.auth) {
		q.renewed, q.repeat = true, true
		return true
	}
	q.repeat = upstream.OfKey(f) && q.keys < len(a.Endpoint.Auth) && usableKey(a.Endpoint, now) != nil
	return q.repeat
}

// retrySame stays at the endpoint because no other candidate is left.
func (r *Run) retrySame(f *fault.Error, now time.Time) bool {
	q := &r.request
	var wait time.Duration
	switch {
	case q.refused.has(r.attempt.Model):
		return false
	case f.Unsent && !q.redialed:
		q.redialed, wait = true, redialWait
	case busy(f) && f.RetryAfter > 0 && f.RetryAfter <= shortWait && !q.waited && !q.ClientRetries:
		q.waited, wait = true, f.RetryAfter
	default:
		return false
	}
	if !q.deadline.IsZero() && now.Add(wait).After(q.deadline) {
		return false
	}
	q.repeat, q.keys, q.resume = true, 0, now.Add(wait)
	return true
}

// pause waits for the moment at which the next attempt may begin.
func (r *Run) pause(until time.Time) error {
	if r.request.resume.IsZero() {
		return nil
	}
	now := time.Now()
	left := r.request.resume.Sub(now)
	if left <= 0 {
		return nil
	}
	if !r.request.Cancel.Sleep(min(left, until.Sub(now))) {
		return canceled()
	}
	if r.request.resume.After(until) {
		return upstream.ErrSilent
	}
	return nil
}

func isCanceled(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Kind == fault.Canceled
}

func canceled() *fault.Error { return fault.New(fault.Canceled, "The client disconnected") }

// overdue reports whether the time for all attempts together is used up.
func (r *Run) overdue(now time.Time) bool {
	return !r.request.deadline.IsZero() && !now.Before(r.request.deadline)
}

// busy is a fault that passes by itself.
func busy(f *fault.Error) bool { return f.Kind == fault.RateLimit || f.Kind == fault.Overloaded }

// noteRetryAfter remembers the first moment at which one of the endpoints wants
// to be asked again.
func (r *Run) noteRetryAfter(f *fault.Error, now time.Time) {
	if !busy(f) || f.RetryAfter <= 0 {
		return
	}
	soonest := &r.request.soonest
	if at := now.Add(f.RetryAfter); !soonest.After(now) || at.Before(*soonest) {
		*soonest = at
	}
}

// final is the fault that the client sees: where all are busy, with the
// shortest wait that any of them asked for.
func (r *Run) final(f *fault.Error) *fault.Error {
	if !busy(f) || r.request.soonest.IsZero() {
		return f
	}
	shown := *f // others may be looking at f
	shown.RetryAfter = max(time.Until(r.request.soonest), time.Millisecond)
	return &shown
}

// usableKey returns a credential that was not refused lately, nil if there is none.
func usableKey(e *snapshot.Endpoint, now time.Time) *snapshot.Credential {
	for _, c := range e.Auth {
		if !c.State.RestsUntil().After(now) {
			return c
		}
	}
	return nil
}
