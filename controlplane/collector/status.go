package collector

import (
	"sync"
	"time"
)

// Status is a collector's counters since it was made.
type Status struct {
	Sink string `json:"sink"`
	// Frames and Events were fetched; an event that is delivered again counts again.
	Frames uint64 `json:"frames"`
	Events uint64 `json:"events"`
	// Events that are finished = Inserted + Duplicates + DeadLettered.
	// Duplicates were in the database already.
	Inserted     uint64 `json:"inserted"`
	Duplicates   uint64 `json:"duplicates"`
	DeadLettered uint64 `json:"dead_lettered"`
	Batches      uint64 `json:"batches"`
	Retries      uint64 `json:"retries"`
	// InHand is the number of events fetched and not finished.
	InHand int `json:"in_hand"`
	// Waiting is the number of frames in the stream that the sink had not been
	// given when it was last asked.
	Waiting uint64 `json:"waiting"`
	// LagMS is the age of the oldest frame in progress, else of the last one when
	// it was committed. It grows while the database is down.
	LagMS int64 `json:"lag_ms"`
	// LastCommit is zero before the first.
	LastCommit time.Time `json:"last_commit,omitzero"`
	// Error is what the collector is waiting out at the moment, "" if nothing;
	// LastError and LastErrorTime stay.
	Error         string    `json:"error,omitempty"`
	LastError     string    `json:"last_error,omitempty"`
	LastErrorTime time.Time `json:"last_error_time,omitzero"`
}

// tracker is the Status in the making.
type tracker struct {
	mu     sync.Mutex
	status Status
	hands  map[*batch]bool
}

// Status returns the present figures. It may be called at any time.
func (c *Collector) Status() Status {
	t := &c.tracker
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.status
	s.Sink = c.opts.Name
	if len(t.hands) > 0 {
		s.LagMS = 0
	}
	for b := range t.hands {
		s.InHand += b.size()
		s.LagMS = max(s.LagMS, time.Since(b.oldest).Milliseconds())
	}
	return s
}

func (t *tracker) update(fn func(s *Status)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fn(&t.status)
}

func (t *tracker) fetched(b *batch) {
	t.update(func(s *Status) {
		s.Frames += uint64(len(b.frames))
		s.Events += uint64(b.size())
		s.Waiting = b.waiting
		if t.hands == nil {
			t.hands = map[*batch]bool{}
		}
		t.hands[b] = true
	})
}

func (t *tracker) finished(b *batch, committed bool) {
	t.update(func(s *Status) {
		delete(t.hands, b)
		if committed {
			s.Batches++
			s.LastCommit = time.Now()
			s.LagMS = s.LastCommit.Sub(b.oldest).Milliseconds()
		}
	})
}

func (t *tracker) inserted(fresh, known int) {
	t.update(func(s *Status) {
		s.Inserted += uint64(fresh)
		s.Duplicates += uint64(known)
	})
}

func (t *tracker) deadLettered() {
	t.update(func(s *Status) { s.DeadLettered++ })
}

func (t *tracker) failed(what string, err error) {
	t.update(func(s *Status) {
		s.Retries++
		s.Error = what + ": " + err.Error()
		s.LastError, s.LastErrorTime = s.Error, time.Now()
	})
}

func (t *tracker) recovered() {
	t.update(func(s *Status) { s.Error = "" })
}
