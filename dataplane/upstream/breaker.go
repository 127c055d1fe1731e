package upstream

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/shared/fault"
)

// BreakerSettings say when an endpoint is left alone, and for how long.
type BreakerSettings struct {
	// Threshold is how many failures in a row open the breaker.
	Threshold int
	// MinAvailability opens it too: the moving average of successes (1) and
	// failures (0) in which the newest counts Alpha.
	MinAvailability, Alpha float64
	// Cooldown is the first time of being open. Each further one in a row is
	// twice as long, up to maxOpen, give or take a tenth.
	Cooldown time.Duration
}

// DefaultBreaker returns the reference system's values.
func DefaultBreaker() BreakerSettings {
	return BreakerSettings{Threshold: 3, MinAvailability: 0.7, Alpha: 0.1, Cooldown: 30 * time.Second}
}

const (
	// maxOpen bounds how long a breaker stays open.
	maxOpen = 5 * time.Minute
	// maxCool bounds how long a 429 can keep an endpoint away.
	maxCool = time.Hour
	// probeTime is after how long a probe that has not come back is given up.
	probeTime = time.Minute
)

// State is what a node has learnt of an endpoint. It outlives releases, is
// shared by all requests and never locks.
type State struct {
	InFlight atomic.Int64
	// Requests and Failures count attempts since the process started.
	Requests, Failures atomic.Uint64
	// Stats are the measurements of the last day.
	Stats Stats

	settings  BreakerSettings
	nextKey   atomic.Uint64
	failed    atomic.Int32  // in a row
	downtime  atomic.Uint64 // bits of 1 - availability, so that zero is a good start
	opened    atomic.Int32  // times in a row
	openUntil atomic.Int64  // unix nanoseconds; 0 is closed
	coolUntil atomic.Int64
	probeAt   atomic.Int64 // when the one probe of half-open was let through
	lastFault atomic.Pointer[fault.Error]
	keys      keyring
	health    health
}

// NewState returns the state of an endpoint that nothing is known of.
func NewState(s BreakerSettings) *State { return &State{settings: s, Stats: newStats()} }

// NextKey picks one of n secrets, in turn.
func (s *State) NextKey(n int) int {
	return int(s.nextKey.Add(1) % uint64(n)) //nolint:gosec // below n
}

// Available reports whether the endpoint may be planned for.
func (s *State) Available(now time.Time) bool {
	t := now.UnixNano()
	return s.openUntil.Load() <= t && s.coolUntil.Load() <= t && !s.health.out.Load()
}

// Until is when the endpoint becomes available, the zero time if it is.
func (s *State) Until(now time.Time) time.Time {
	t := max(s.openUntil.Load(), s.coolUntil.Load())
	if s.health.out.Load() {
		t = max(t, now.Add(outTime).UnixNano())
	}
	if t > now.UnixNano() {
		return time.Unix(0, t)
	}
	return time.Time{}
}

// Acquire claims one of the places that an endpoint has for requests at the same
// time; 0 is no bound. Whoever got one gives it back with Release.
func (s *State) Acquire(places int) bool {
	if n := s.InFlight.Add(1); places > 0 && n > int64(places) {
		s.InFlight.Add(-1)
		return false
	}
	return true
}

// Release gives back a place.
func (s *State) Release() { s.InFlight.Add(-1) }

// Allow is asked right before an attempt. While the breaker is half-open it
// lets a single probe through.
func (s *State) Allow(now time.Time) bool {
	if s.openUntil.Load() == 0 {
		return true
	}
	last := s.probeAt.Load()
	return now.UnixNano()-last > int64(probeTime) && s.probeAt.CompareAndSwap(last, now.UnixNano())
}

// Succeeded takes note of an answer.
func (s *State) Succeeded() {
	s.failed.Store(0)
	if s.openUntil.Load() != 0 { // the probe came back: a fresh start
		s.downtime.Store(0)
		s.opened.Store(0)
		s.openUntil.Store(0)
		s.probeAt.Store(0)
		return
	}
	if s.downtime.Load() != 0 {
		s.average(0)
	}
}

// Failed takes note of a fault. Only what speaks against the endpoint counts;
// a 429 that says when to come back is a pause, not a failure.
func (s *State) Failed(f *fault.Error, now time.Time) {
	defer s.probeAt.Store(0) // whatever it was, a probe is over
	if f.Kind == fault.RateLimit && f.RetryAfter > 0 {
		s.coolUntil.Store(now.Add(min(f.RetryAfter, maxCool)).UnixNano())
		s.lastFault.Store(f)
		return
	}
	if !f.Kind.Unhealthy() {
		return
	}
	s.Failures.Add(1)
	s.lastFault.Store(f)
	failed := s.failed.Add(1)
	down := s.average(1)
	if s.openUntil.Load() != 0 || int(failed) >= s.settings.Threshold || 1-down < s.settings.MinAvailability {
		s.open(now)
	}
}

// average moves the average towards 1 for a failure or 0 for a success and
// returns it.
func (s *State) average(sample float64) float64 {
	for {
		old := s.downtime.Load()
		next := math.Float64frombits(old)*(1-s.settings.Alpha) + sample*s.settings.Alpha
		if next < 1e-6 {
			next = 0
		}
		if s.downtime.CompareAndSwap(old, math.Float64bits(next)) {
			return next
		}
	}
}

// open leaves the endpoint alone for a while. Failures of requests that were
// under way when it opened change nothing.
func (s *State) open(now time.Time) {
	until := s.openUntil.Load()
	if until > now.UnixNano() {
		return
	}
	times := s.opened.Add(1)
	d := min(s.settings.Cooldown<<min(times-1, 10), maxOpen)
	d += time.Duration((rand.Float64() - 0.5) * 0.2 * float64(d))
	s.openUntil.CompareAndSwap(until, now.Add(d).UnixNano())
}

// Condition is a word for the state, with the reason for anything but closed.
func (s *State) Condition(now time.Time) (word, reason string) {
	t := now.UnixNano()
	switch {
	case s.health.out.Load():
		return "probe_failed", *s.health.reason.Load()
	case s.openUntil.Load() > t:
		word = "open"
	case s.openUntil.Load() != 0:
		word = "half_open"
	case s.coolUntil.Load() > t:
		word = "cooling"
	default:
		return "closed", ""
	}
	if f := s.lastFault.Load(); f != nil {
		reason = f.Kind.String() + ": " + f.Message
	}
	return word, reason
}

// Availability is the moving average of successes, 1 for an endpoint that
// never failed.
func (s *State) Availability() float64 { return 1 - math.Float64frombits(s.downtime.Load()) }
