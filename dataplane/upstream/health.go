package upstream

import (
	"errors"
	"sync/atomic"
	"time"
)

const (
	// probeFailures is after how many failed probes in a row an endpoint is out.
	probeFailures = 2
	// rampTime is how long an endpoint takes to get back its full share.
	rampTime = 30 * time.Second
	// rampStart is the part of its share that it gets at once.
	rampStart = 0.1
	// outTime replaces the unknown time at which a probe succeeds again.
	outTime = time.Minute
)

// health is what probes have found. The zero value is an endpoint that is not
// probed: it is taken for healthy.
type health struct {
	failed atomic.Int32 // in a row
	out    atomic.Bool
	reason atomic.Pointer[string]
	ramp   atomic.Int64 // unix nanoseconds of the return, 0 when it is over
	// unprobed is why the server cannot be probed, nil if it can.
	unprobed atomic.Pointer[string]
}

// ErrUnprobed marks the result of a probe that says nothing about the endpoint's
// health: its server answers, but has no health check.
var ErrUnprobed = errors.New("the server has no health check")

// Probed takes in the result of a probe; nil is good. It reports whether the
// endpoint went out of service by it, came back, or turned out to have no
// health check.
func (s *State) Probed(err error, now time.Time) (changed bool) {
	h := &s.health
	if errors.Is(err, ErrUnprobed) {
		reason := err.Error()
		first := h.unprobed.Swap(&reason) == nil
		h.failed.Store(0)
		return h.out.Swap(false) || first
	}
	h.unprobed.Store(nil)
	if err == nil {
		h.failed.Store(0)
		if !h.out.Load() {
			return false
		}
		h.ramp.Store(now.UnixNano())
		return h.out.Swap(false)
	}
	reason := err.Error()
	h.reason.Store(&reason)
	return h.failed.Add(1) >= probeFailures && !h.out.Swap(true)
}

// Unprobed forgets what probes have found: the endpoint is no longer watched.
func (s *State) Unprobed() {
	s.health.failed.Store(0)
	s.health.out.Store(false)
	s.health.ramp.Store(0)
	s.health.unprobed.Store(nil)
}

// Share is the part of its weight that an endpoint gets: less than 1 for a
// while after it has come back.
func (s *State) Share(now time.Time) float64 {
	from := s.health.ramp.Load()
	if from == 0 {
		return 1
	}
	part := float64(now.UnixNano()-from) / float64(rampTime)
	if part >= 1 {
		s.health.ramp.CompareAndSwap(from, 0)
		return 1
	}
	return max(rampStart, part)
}
