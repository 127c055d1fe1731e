package upstream

import (
	"math"
	"sync/atomic"
	"time"
)

const (
	// latencyDecay is how long a latency takes to fall to 1/e while nothing is
	// measured: an endpoint that was slow is tried again.
	latencyDecay = 10 * time.Second
	// latencyTrial is how long a request that has had no answer yet keeps others
	// away from an endpoint of unknown latency.
	latencyTrial = 10 * time.Second
	// tick is the unit of time in which latencies are dated.
	tick = 10 * time.Millisecond
)

// Latency is a moving average of the time to the first content of an answer. It
// rises fast and falls slowly, and fades without new values. The zero value is
// unknown. It does not lock.
type Latency struct {
	// value has milliseconds as a float32 in its upper half, and when they were
	// noted, in ticks, in its lower half; 0 is none.
	value atomic.Uint64
	// tried is when the last attempt began, in ticks; 0 is never.
	tried atomic.Uint32
}

// ticksOf counts ticks since 1970. It wraps after 497 days, like all differences.
func ticksOf(t time.Time) uint32 { return uint32(t.UnixNano() / int64(tick)) }

// since is the time from one tick to another, 0 if it is negative.
func since(from, to uint32) time.Duration { return time.Duration(max(0, int32(to-from))) * tick }

// Tried records that an attempt has begun.
func (l *Latency) Tried(now time.Time) { l.tried.Store(max(1, ticksOf(now))) }

// Note takes in how long an answer took to begin.
func (l *Latency) Note(d time.Duration, now time.Time) { l.note(d, now, false) }

// Failed takes in how long an attempt took to fail: as a failure it is no sign
// of speed.
func (l *Latency) Failed(d time.Duration, now time.Time) { l.note(d, now, true) }

func (l *Latency) note(d time.Duration, now time.Time, rise bool) {
	ms, at := max(milliseconds(d), 1e-3), ticksOf(now)
	for {
		old := l.value.Load()
		was := float64(math.Float32frombits(uint32(old >> 32)))
		next := ms
		switch {
		case rise && ms <= was:
			return
		case old == 0:
		case ms > was:
			next = (was + ms) / 2
		default:
			kept := fade(since(uint32(old), at))
			next = was*kept + ms*(1-kept)
		}
		if l.value.CompareAndSwap(old, uint64(math.Float32bits(float32(next)))<<32|uint64(at)) {
			return
		}
	}
}

func fade(age time.Duration) float64 { return math.Exp(-float64(age) / float64(latencyDecay)) }

// Estimate is what the next request can expect, in milliseconds. An endpoint of
// which nothing is known, or nothing new, seems fast and gets a request; while
// that one is under way it seems slow again.
func (l *Latency) Estimate(now time.Time) float64 {
	at, value, tried := ticksOf(now), l.value.Load(), l.tried.Load()
	noted := uint32(value)
	waiting := tried != 0 && since(tried, at) < latencyTrial && (value == 0 || int32(tried-noted) > 0)
	switch {
	case value == 0 && waiting:
		return math.Inf(1)
	case value == 0:
		return 0
	}
	ms := float64(math.Float32frombits(uint32(value >> 32)))
	if waiting {
		return ms
	}
	return ms * fade(since(noted, at))
}

// Measured is the average without regard to its age, in milliseconds; false if
// nothing was measured.
func (l *Latency) Measured() (ms float64, ok bool) {
	value := l.value.Load()
	return float64(math.Float32frombits(uint32(value >> 32))), value != 0
}
