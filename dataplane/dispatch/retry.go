package dispatch

import (
	"net/http"
	"time"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

const (
	// shortWait is the longest Retry-After that a request sits out.
	shortWait = 5 * time.Second
	// maxWaits bounds how often one does.
	maxWaits = 2
	// redialWait is the pause before a connection is tried once more.
	redialWait = 100 * time.Millisecond
)

// shouldRetry decides, after an attempt that failed, whether there is another one,
// and where: with another key, at the next candidate, or, where nobody else is
// left, at the same endpoint once more.
func (r *Run) shouldRetry(f *fault.Error) bool {
	r.noteRetryAfter(f)
	now := time.Now()
	if r.content || f.Kind == fault.Canceled || r.overdue(now) {
		return false
	}
	if !r.retryKey(f) && !r.hasNext() && !r.retrySame(f, now) {
		return false
	}
	// What never reached an upstream was no work for it: nothing to save.
	return f.Unsent || r.policy.Budget == nil || r.policy.Budget.Take(now)
}

// retryKey stays at the endpoint if only its key was refused: for a new token,
// or for each other key once.
func (r *Run) retryKey(f *fault.Error) bool {
	if r.credential == nil {
		return false
	}
	if f.Status == http.StatusUnauthorized && !r.renewed && r.credential.Refused(r.auth) {
		r.renewed, r.repeat = true, true
		return true
	}
	e := r.current.Endpoint
	r.repeat = upstream.OfKey(f) && r.keys < len(e.Auth) && usableKey(e, time.Now()) != nil
	return r.repeat
}

// retrySame stays at the endpoint because nobody else is left.
func (r *Run) retrySame(f *fault.Error, now time.Time) bool {
	var wait time.Duration
	switch {
	case r.current.Endpoint == nil || r.refused.has(r.current.Model):
		return false
	case f.Unsent && !r.redialed:
		r.redialed, wait = true, redialWait
	case busy(f) && f.RetryAfter > 0 && f.RetryAfter <= shortWait && r.waits < maxWaits:
		r.waits++
		wait = f.RetryAfter
	default:
		return false
	}
	if !r.deadline.IsZero() && now.Add(wait).After(r.deadline) {
		return false
	}
	r.repeat, r.keys, r.resume = true, 0, now.Add(wait)
	return true
}

// pause sits out a pause before the next attempt.
func (r *Run) pause(wait time.Duration) error {
	left := time.Until(r.resume)
	if r.resume.IsZero() || left <= 0 {
		return nil
	}
	if !r.cancel.Sleep(min(left, wait)) {
		return fault.New(fault.Canceled, "The client left")
	}
	if left > wait {
		return upstream.ErrSilent
	}
	return nil
}

// overdue reports whether the time for all attempts together is used up.
func (r *Run) overdue(now time.Time) bool { return !r.deadline.IsZero() && !now.Before(r.deadline) }

// busy is a fault that passes by itself.
func busy(f *fault.Error) bool { return f.Kind == fault.RateLimit || f.Kind == fault.Overloaded }

// noteRetryAfter remembers the first moment at which one of the endpoints wants to
// be asked again.
func (r *Run) noteRetryAfter(f *fault.Error) {
	if !busy(f) || f.RetryAfter <= 0 {
		return
	}
	now := time.Now()
	if at := now.Add(f.RetryAfter); r.soonest.Before(now) || at.Before(r.soonest) {
		r.soonest = at
	}
}

// final is the fault that the client is told of: where all are busy, with the
// least that any of them asked to wait.
func (r *Run) final(f *fault.Error) *fault.Error {
	if !busy(f) || r.soonest.IsZero() {
		return f
	}
	told := *f // others may be looking at f
	told.RetryAfter = max(time.Until(r.soonest), time.Millisecond)
	return &told
}

// pick moves to the next candidate that may be tried now; false if there is
// none. A half-open breaker lets one request through at a time, a full
// endpoint none. It holds a place at the endpoint until release.
func (r *Run) pick() bool {
	if r.repeat {
		r.repeat = false
		if r.acquire(r.current) {
			return true
		}
	}
	for r.hasNext() {
		c := r.plan[r.next]
		r.next++
		if r.acquire(c) {
			r.current, r.keys = c, 0
			return true
		}
	}
	return false
}

func (r *Run) acquire(c route.Candidate) bool {
	state := c.Endpoint.State
	if !state.Acquire(c.Endpoint.MaxConcurrency) {
		return false
	}
	if !state.Allow(r.started) {
		state.Release()
		return false
	}
	r.inside = true
	return true
}

// release gives the place at the endpoint back.
func (r *Run) release() {
	if r.inside {
		r.inside = false
		r.current.Endpoint.State.Release()
	}
}

// key picks one of the endpoint's credentials: a caller keeps to one, for the
// sake of the provider's caches, as long as it is not refused.
func (r *Run) key(e *snapshot.Endpoint, now time.Time) *snapshot.Credential {
	r.keys++
	n := uint64(len(e.Auth))
	if n == 1 {
		return e.Auth[0]
	}
	first := r.caller % n
	if r.caller == 0 {
		first = uint64(e.State.NextKey(len(e.Auth))) //nolint:gosec // an index
	}
	for i := range n {
		if c := e.Auth[(first+i)%n]; !c.State.RestsUntil().After(now) {
			return c
		}
	}
	return e.Auth[first]
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

// judge tells the endpoint's state of a fault. One of several keys is left
// alone by itself, the endpoint only when none is left.
func (r *Run) judge(f *fault.Error, now time.Time) {
	e := r.current.Endpoint
	if len(e.Auth) < 2 || r.credential == nil || !upstream.OfKey(f) {
		e.State.Failed(f, now)
		return
	}
	r.credential.State.Refused(f, now)
	if usableKey(e, now) != nil {
		e.State.ReleaseProbe()
		return
	}
	first := e.Auth[0].State.RestsUntil()
	for _, c := range e.Auth[1:] {
		if at := c.State.RestsUntil(); at.Before(first) {
			first = at
		}
	}
	e.State.Pause(first, f)
}
