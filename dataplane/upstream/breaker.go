package upstream

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/shared/fault"
)

// BreakerSettings say when an endpoint gets no requests, and for how long.
type BreakerSettings struct {
	// Threshold is how many failures in a row open the breaker.
	Threshold int
	// MinAvailability opens it too: the moving average of successes (1) and
	// failures (0) in which the newest counts Alpha.
	MinAvailability, Alpha float64
	// Cooldown is how long a breaker is open at first. Each time in a row is
	// twice as long, up to maxOpen, give or take a tenth.
	Cooldown time.Duration
}

// DefaultBreaker returns the reference system's values.
func DefaultBreaker() BreakerSettings {
	return BreakerSettings{Threshold: 3, MinAvailability: 0.7, Alpha: 0.1, Cooldown: 30 * time.Second}
}

const (
	// maxOpen bounds how long a breaker stays open, unless Cooldown is longer.
	maxOpen = 5 * time.Minute
	// maxCool bounds how long a 429 can keep an endpoint away.
	maxCool = time.Hour
)

// State is what a node has learnt of an endpoint. It outlives releases, is
// shared by all requests and does not lock on their way.
type State struct {
	InFlight atomic.Int64
	// Requests and Failures count attempts since the process started.
	Requests, Failures atomic.Uint64
	// Stats are the measurements of the last day.
	Stats Stats
	// Counts are totals since the endpoint is known.
	Counts Counts

	freed     atomic.Pointer[func(*State)] // called after a place was released; nil for none
	settings  BreakerSettings
	nextKey   atomic.Uint64
	failed    atomic.Int32  // in a row
	downtime  atomic.Uint64 // bits of 1 - availability, so that zero is a good start
	opened    atomic.Int32  // times in a row
	openUntil atomic.Int64  // unix nanoseconds; 0 is closed
	probing   atomic.Bool   // the one probe of half-open is under way
	coolUntil atomic.Int64
	cooledBy  atomic.Pointer[fault.Error]
	lastFault atomic.Pointer[fault.Error]
	dead      deadConnections
	keys      keyring
	health    health
	load      atomic.Pointer[loadReport]
	// first and unary are the latencies of streams and of answers in one piece.
	first, unary Latency
}

// NewState returns the state of an endpoint that nothing is known of.
func NewState(s BreakerSettings) *State {
	return &State{settings: s, Stats: newStats(), Counts: Counts{since: time.Now().UnixMilli()}}
}

// Latency is the time to the first content of streams, or of answers in one piece.
func (s *State) Latency(streamed bool) *Latency {
	if streamed {
		return &s.first
	}
	return &s.unary
}

// NextKey picks one of n secrets, in turn.
func (s *State) NextKey(n int) int {
	return int(s.nextKey.Add(1) % uint64(n))
}

// Available reports whether the endpoint may be planned for: its breaker
// admits requests and no health check has taken it out.
func (s *State) Available(now time.Time) bool { return s.Admits(now) && !s.health.out.Load() }

// Admits reports whether the breaker is closed or half-open and no cool-down
// is running. What health checks have found is left out of account.
func (s *State) Admits(now time.Time) bool {
	t := now.UnixNano()
	return s.openUntil.Load() <= t && s.coolUntil.Load() <= t
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

// Cooling returns the fault that asked for the cool-down under way, nil if the
// endpoint is out of service for another reason or not at all.
func (s *State) Cooling(now time.Time) *fault.Error {
	cool := s.coolUntil.Load()
	if cool <= now.UnixNano() || cool < s.openUntil.Load() {
		return nil
	}
	return s.cooledBy.Load()
}

// Pause keeps all requests away until then, or longer where an earlier pause
// was longer; f says why.
func (s *State) Pause(until time.Time, f *fault.Error) {
	s.cooledBy.Store(f)
	s.lastFault.Store(f)
	for t := until.UnixNano(); ; {
		old := s.coolUntil.Load()
		if old >= t || s.coolUntil.CompareAndSwap(old, t) {
			return
		}
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

// open keeps all requests away for a while, longer each time in a row. Of
// several that saw the same state only one has an effect.
func (s *State) open(seen int64, now time.Time) {
	times := s.opened.Load()
	d := min(s.settings.Cooldown<<min(times, 10), max(maxOpen, s.settings.Cooldown))
	d += time.Duration((rand.Float64() - 0.5) * 0.2 * float64(d))
	if s.openUntil.CompareAndSwap(seen, now.Add(d).UnixNano()) {
		s.opened.Add(1)
	}
}

// reset closes the breaker: a probe was answered.
func (s *State) reset() {
	s.downtime.Store(0)
	s.opened.Store(0)
	s.openUntil.Store(0)
}

// Condition names the state, with the reason for anything but closed.
// An endpoint that is unprobed is closed, and has no health check to probe.
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
		if why := s.health.unprobed.Load(); why != nil {
			return "unprobed", *why
		}
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
