package dispatch

import (
	"fmt"
	"slices"
	"time"

	"github.com/hybridinference/gateway/dataplane/queue"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// line is a request's place in the queues of its models. The zero value is one
// that has not waited.
type line struct {
	waiter  *queue.Waiter // nil while it does not wait
	passed  uint16        // the candidates that were passed over for want of a place
	began   time.Time     // of the wait under way
	end     time.Time     // of all waiting; the zero time before the first
	waited  time.Duration // in the waits that are over
	refusal *fault.Error  // why waiting has come to nothing
}

// Queued is how long the request has waited in queues.
func (r *Run) Queued() time.Duration {
	l := &r.request.line
	if l.waiter != nil {
		return l.waited + time.Since(l.began)
	}
	return l.waited
}

// pass notes that a candidate was passed over for want of a place.
func (q *request) pass(i int) { q.line.passed |= 1 << i }

// waitable lists the candidates that are worth waiting for: those that were
// passed over, of models that have a queue and have not refused the request.
func (r *Run) waitable() (list []route.Candidate) {
	q := &r.request
	for i, c := range q.Plan {
		if q.line.passed&(1<<i) != 0 && c.Model.Queue != nil && !q.refused.has(c.Model) {
			list = append(list, c)
		}
	}
	return list
}

// mayQueue reports whether the request can wait for one of the candidates that
// were passed over: one is full, has others waiting for it, or is spent for no
// longer than the wait.
func (r *Run) mayQueue(now time.Time) bool {
	q := &r.request
	if q.line.passed == 0 || q.line.refusal != nil || !q.line.end.IsZero() && !now.Before(q.line.end) {
		return false
	}
	return slices.ContainsFunc(r.waitable(), func(c route.Candidate) bool {
		if c.Endpoint.Full() || c.Model.Queue.Waiting() > 0 {
			return true
		}
		_, wait := c.Model.Queue.Settings()
		return q.spent.any && !q.spent.unknown && q.spent.until.Before(now.Add(wait))
	})
}

// queue waits until then for a place at one of the candidates that were passed
// over, and begins an attempt there. ErrSilent if there is none yet.
func (r *Run) queue(until time.Time) error {
	l := &r.request.line
	if l.waiter == nil && !r.join(time.Now()) {
		return r.noCandidate()
	}
	now := time.Now()
	if !r.request.Cancel.Wait(min(l.end.Sub(now), until.Sub(now)), l.waiter.Ready()) {
		return canceled()
	}
	outcome, grant := l.waiter.Outcome()
	now = time.Now()
	switch {
	case outcome == queue.Granted:
		r.leave()
		r.beginGranted(grant, now)
		return nil
	case outcome == queue.Pending && now.Before(l.end):
		return upstream.ErrSilent
	}
	r.leave()
	l.refusal = r.unserved(outcome, now)
	return r.noCandidate()
}

// join enters the queues of the models; false if the request cannot wait.
func (r *Run) join(now time.Time) bool {
	q := &r.request
	l := &q.line
	if !r.mayQueue(now) {
		return false
	}
	w := &queue.Waiter{Key: q.Key, Priority: q.Priority, Need: q.Need, Registry: q.Limits.Registry, Clock: q.Limits.Clock}
	var lines []*queue.Queue
	longest := time.Duration(0)
	for _, c := range r.waitable() {
		w.Wants = append(w.Wants, c.Endpoint.State)
		if !slices.Contains(lines, c.Model.Queue) {
			lines = append(lines, c.Model.Queue)
			_, wait := c.Model.Queue.Settings()
			longest = max(longest, wait)
		}
	}
	if l.end.IsZero() {
		if l.end = now.Add(longest); !q.deadline.IsZero() && q.deadline.Before(l.end) {
			l.end = q.deadline
		}
	}
	l.waiter, l.began = w, now
	w.Join(lines, now)
	return true
}

// leave ends the wait, whatever it has come to. What was given to the request
// and not taken goes to the next one.
func (r *Run) leave() {
	l := &r.request.line
	if l.waiter == nil {
		return
	}
	l.waited += time.Since(l.began)
	l.waiter.Leave()
	l.waiter = nil
}

// beginGranted starts an attempt at the place that the queue has given.
func (r *Run) beginGranted(g queue.Grant, now time.Time) {
	q := &r.request
	for i, c := range q.Plan {
		if c.Endpoint.State == g.State && q.line.passed&(1<<i) != 0 {
			q.line.passed &^= 1 << i
			q.at, q.keys = i, 0
			r.attempt = attempt{Candidate: c, place: g.Place, share: g.Share, started: now, silent: now}
			if c.Model.Policy == snapshot.Latency {
				c.Endpoint.State.Latency(q.streamed).Tried(now)
			}
			return
		}
	}
	panic("BUG: a place was granted at an endpoint that was not asked for")
}

// unserved is the fault of a request that has got no place: it says when one
// that comes then would.
func (r *Run) unserved(outcome queue.Outcome, now time.Time) *fault.Error {
	f := &fault.Error{Kind: fault.Overloaded}
	soonest := time.Duration(0)
	var first *snapshot.Model
	for _, c := range r.waitable() {
		if first == nil {
			first = c.Model
		}
		if wait := c.Model.Queue.RetryAfter(now); soonest == 0 || wait < soonest {
			soonest = wait
		}
	}
	f.RetryAfter = soonest
	size, wait := first.Queue.Settings()
	switch outcome {
	case queue.Full:
		f.Message = fmt.Sprintf("Every endpoint of the model is at capacity, and its queue is full (%d requests)", size)
	case queue.Removed:
		f.Message, f.RetryAfter = "The endpoints that the request was queued for are no longer in service", time.Second
	case queue.Draining:
		f.Message, f.RetryAfter = "This node is shutting down", time.Second
	case queue.Pending, queue.Granted, queue.Left:
		f.Message = fmt.Sprintf("Every endpoint of the model is at capacity, and none became free within %s", wait)
	}
	if q := &r.request; q.spent.any && outcome == queue.Pending && now.Before(q.spent.until) && !r.anyFull() {
		return r.allSpent(now)
	}
	f.RetryAfter = max(time.Second, f.RetryAfter)
	return f
}

// anyFull reports whether one of the candidates is at its max_concurrency.
func (r *Run) anyFull() bool {
	return slices.ContainsFunc(r.request.Plan, func(c route.Candidate) bool { return c.Endpoint.Full() })
}
