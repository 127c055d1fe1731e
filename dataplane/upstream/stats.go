package upstream

import (
	"sync/atomic"
	"time"
)

// Stats is what a node has measured of an endpoint in the last day. Requests
// add to it with atomic operations only; nothing is ever cleared under a
// reader, past slots are replaced completely.
type Stats struct {
	minutes  ring[minute]
	quarters ring[counts]
}

// counts are attempts by their end.
type counts struct{ good, bad atomic.Uint64 }

// minute is what was measured in one minute.
type minute struct {
	counts
	firstToken histogram // milliseconds to the first token of a stream
	unary      histogram // milliseconds to an answer in one piece
	throughput histogram // completion tokens a second
}

// Measure describes one answered attempt. Zero values are not known.
type Measure struct {
	// FirstToken is the time from the start of the attempt to its first
	// content, for a stream.
	FirstToken time.Duration
	// Total is the time from the start of the attempt to its end.
	Total time.Duration
	// Tokens are the answer's completion tokens.
	Tokens int64
}

// Window is a time over which statistics are taken, up to now.
type Window uint8

// The windows. Latency and throughput are kept for half an hour.
const (
	FiveMinutes Window = iota
	HalfHour
	Day
)

func newStats() Stats {
	return Stats{minutes: newRing[minute](time.Minute, 31), quarters: newRing[counts](15*time.Minute, 97)}
}

// Answered takes in an attempt that was answered.
func (s *Stats) Answered(now time.Time, m Measure) {
	slot := s.minutes.at(now)
	slot.good.Add(1)
	s.quarters.at(now).good.Add(1)
	switch {
	case m.FirstToken > 0:
		slot.firstToken.add(milliseconds(m.FirstToken))
	case m.Total > 0:
		slot.unary.add(milliseconds(m.Total))
	}
	if m.Tokens > 0 && m.Total > 0 {
		slot.throughput.add(float64(m.Tokens) / m.Total.Seconds())
	}
}

// Failed takes in an attempt that failed by the endpoint's fault.
func (s *Stats) Failed(now time.Time) {
	s.minutes.at(now).bad.Add(1)
	s.quarters.at(now).bad.Add(1)
}

// Uptime is the share of good attempts in percent; false if there were none.
func (s *Stats) Uptime(now time.Time, w Window) (float64, bool) {
	var good, bad uint64
	add := func(c *counts) {
		good += c.good.Load()
		bad += c.bad.Load()
	}
	if w == Day {
		for c := range s.quarters.last(now, 96) {
			add(c)
		}
	} else {
		for m := range s.minutes.last(now, w.minutes()) {
			add(&m.counts)
		}
	}
	if good+bad == 0 {
		return 0, false
	}
	return 100 * float64(good) / float64(good+bad), true
}

// Requests is the number of answered attempts of the last day.
func (s *Stats) Requests(now time.Time) uint64 {
	n := uint64(0)
	for c := range s.quarters.last(now, 96) {
		n += c.good.Load()
	}
	return n
}

// Latency is the time to the first token in milliseconds; where nothing was
// streamed, the time to the complete answer. False if nothing was measured.
func (s *Stats) Latency(now time.Time, w Window) (Percentiles, bool) {
	var first, unary tally
	for m := range s.minutes.last(now, w.minutes()) {
		first.add(&m.firstToken)
		unary.add(&m.unary)
	}
	if first.total > 0 {
		return first.below()
	}
	return unary.below()
}

// Throughput is in completion tokens a second, over the total time of an
// attempt: an upstream that buffers its answer must not look fast.
func (s *Stats) Throughput(now time.Time, w Window) (Percentiles, bool) {
	var t tally
	for m := range s.minutes.last(now, w.minutes()) {
		t.add(&m.throughput)
	}
	return t.above()
}

func (w Window) minutes() int {
	if w == FiveMinutes {
		return 5
	}
	return 30
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
