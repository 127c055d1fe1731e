package queue

import (
	"slices"
	"sync"
	"time"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

// Waiter is one request that waits, in the lines of all its models at once. It
// has one outcome: a grant, or the refusal of the last line that it was in.
type Waiter struct {
	// Key and Priority say whose turn it is; a higher priority goes first.
	Key      string
	Priority int
	// Wants are the endpoints that it may go to.
	Wants []*upstream.State
	// Need is what it takes of the limits of providers, which Registry counts.
	Need     limits.Need
	Registry *limits.Registry
	Clock    limits.Clock

	lines []*Queue

	mu      sync.Mutex
	outcome Outcome
	open    int // lines that have not refused it
	grant   Grant
	ready   chan struct{}
}

// Outcome is what has become of a waiter.
type Outcome uint8

// The outcomes.
const (
	Pending Outcome = iota
	Granted
	Full     // too many wait, or others have come before it
	Removed  // its endpoints are no longer in service
	Draining // the node stops
	Left     // it did not wait any longer
)

// Grant is a place, with what was taken of the limits of its provider.
type Grant struct {
	State *upstream.State
	Place upstream.Place
	Share limits.Hold
}

// Join has w wait in these lines. The caller calls Leave, whatever becomes of it.
func (w *Waiter) Join(lines []*Queue, now time.Time) {
	w.lines, w.open, w.ready = lines, len(lines), make(chan struct{}, 1)
	for _, q := range lines {
		q.join(w, now)
	}
}

// Ready has something once there is an outcome.
func (w *Waiter) Ready() <-chan struct{} { return w.ready }

// Outcome says what has become of it. A grant is the caller's from then on.
func (w *Waiter) Outcome() (Outcome, Grant) {
	w.mu.Lock()
	defer w.mu.Unlock()
	grant := w.grant
	w.grant = Grant{}
	return w.outcome, grant
}

// Leave takes w out of all lines. A place that it was given and has not taken
// goes to the next one.
func (w *Waiter) Leave() {
	w.mu.Lock()
	grant := w.grant
	w.grant = Grant{}
	if w.outcome == Pending {
		w.outcome = Left
	}
	w.mu.Unlock()
	for _, q := range w.lines {
		q.leave(w)
	}
	if grant.Place.Held() {
		grant.Share.Release(w.Registry)
		grant.Place.Release()
	}
}

// refuse notes that a line has refused w; the last one settles it.
func (w *Waiter) refuse(why Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open--; w.open > 0 || w.outcome != Pending {
		return
	}
	w.settle(why)
}

func (w *Waiter) wants(s seat) bool { return slices.Contains(w.Wants, s.State) }

// taking is what became of an attempt to give a waiter a place.
type taking uint8

const (
	taken       taking = iota
	unwanted           // it may not go there
	settled            // it does not wait any more
	unavailable        // there is no place after all
)

// take gives w a place at an endpoint.
func (w *Waiter) take(s *seat, now time.Time) taking {
	if !w.wants(*s) {
		return unwanted
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outcome != Pending {
		return settled
	}
	var share limits.Hold
	if len(s.Limits) > 0 {
		if refused := w.Registry.TryNow(s.Limits, &w.Need, w.Clock.Now(), &share); refused != nil {
			s.dry = now.Add(max(refused.Retry, recheck))
			return unavailable
		}
	}
	place, ok := s.State.Acquire(now, s.MaxConcurrency)
	if !ok {
		share.Release(w.Registry)
		return unavailable
	}
	w.grant = Grant{State: s.State, Place: place, Share: share}
	w.settle(Granted)
	return taken
}

// settle notes the one outcome and wakes whoever waits for it.
func (w *Waiter) settle(o Outcome) {
	w.outcome = o
	w.ready <- struct{}{}
}
