package upstream

import (
	"slices"
	"sync"
	"time"

	"github.com/hybridinference/gateway/shared/fault"
)

// Place is a request's right to be at an endpoint: one of the requests that it
// may have at a time and, while its breaker is half-open, the one probe. It
// records the outcome and is returned with Release. It belongs to one
// goroutine. The zero value is no place.
type Place struct {
	state *State
	probe bool
}

// Acquire takes a place for one of at most limit requests at a time; 0 is no
// limit. False while the endpoint is full, its breaker is open, a cool-down is
// running, or another request probes a half-open breaker.
func (s *State) Acquire(now time.Time, limit int) (Place, bool) {
	if !s.Admits(now) {
		return Place{}, false
	}
	if !s.enter(limit) {
		return Place{}, false
	}
	p := Place{state: s}
	if s.openUntil.Load() == 0 {
		return p, true
	}
	if p.probe = s.probing.CompareAndSwap(false, true); p.probe && s.Admits(now) {
		return p, true // and not opened again by the probe before this one
	}
	p.drop() // not handed on: no one has had it
	return Place{}, false
}

// enter counts a request unless there are as many as there may be. It never
// counts one too many, not even for a moment: who looks for a place then would
// miss the one that is freed meanwhile.
func (s *State) enter(limit int) bool {
	if limit <= 0 {
		s.InFlight.Add(1)
		return true
	}
	for {
		n := s.InFlight.Load()
		if n >= int64(limit) {
			return false
		}
		if s.InFlight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Held reports whether the place was acquired and not released yet.
func (p *Place) Held() bool { return p.state != nil }

// Release gives the place back, the first time that it is called, and tells
// those who wait for one.
func (p *Place) Release() {
	s := p.state
	if s == nil {
		return
	}
	p.drop()
	if freed := s.freed.Load(); freed != nil {
		(*freed)(s)
	}
}

// drop gives the place back.
func (p *Place) drop() {
	if p.probe {
		p.state.probing.Store(false)
	}
	p.state.InFlight.Add(-1)
	*p = Place{}
}

// Notify has freed called whenever a place is released, by whoever does it.
func (s *State) Notify(freed func(*State)) { s.freed.Store(&freed) }

// Succeeded takes note of an answer. Only a probe closes a breaker: what was
// under way before it opened says little of how the endpoint is now.
func (p *Place) Succeeded() {
	s := p.state
	s.failed.Store(0)
	switch {
	case p.probe:
		s.reset()
		s.probing.Store(false)
		p.probe = false
	case s.openUntil.Load() == 0 && s.downtime.Load() != 0:
		s.average(0)
	}
}

// Failed records a fault. Only faults of the endpoint count,
// and a connection that takes many requests down with it counts once; a 429
// that says when to come back is a cool-down, not a failure.
func (p *Place) Failed(f *fault.Error, now time.Time) {
	s := p.state
	if f.Kind == fault.RateLimit && f.RetryAfter > 0 {
		s.Pause(now.Add(min(f.RetryAfter, maxCool)), f)
		return
	}
	if !f.Kind.Unhealthy() || s.dead.counted(f.Connection) {
		return
	}
	s.Failures.Add(1)
	s.lastFault.Store(f)
	failed := s.failed.Add(1)
	until := s.openUntil.Load()
	switch {
	case p.probe:
		s.open(until, now)
	case until != 0: // it began before the breaker opened
	default:
		if down := s.average(1); int(failed) >= s.settings.Threshold || 1-down < s.settings.MinAvailability {
			s.open(0, now)
		}
	}
}

// deadConnections are the last connections whose death was counted.
type deadConnections struct {
	mu   sync.Mutex
	ids  [8]uint64
	next int
}

// counted notes the death of a connection and reports whether it was noted
// before; 0 is none.
func (d *deadConnections) counted(id uint64) bool {
	if id == 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.ids[:], id) {
		return true
	}
	d.ids[d.next] = id
	d.next = (d.next + 1) % len(d.ids)
	return false
}
