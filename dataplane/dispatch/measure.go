package dispatch

import (
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// measure adds the attempt that has just ended to the statistics of its
// endpoint. f is nil for success. A client that left takes nothing from an
// endpoint that was answering; a request that is at fault itself says nothing.
func (r *Run) measure(f *fault.Error) {
	stats, now := &r.current.Endpoint.State.Stats, time.Now()
	switch {
	case f == nil:
		stats.Answered(now, r.measured(now))
	case f.Kind == fault.Canceled:
		r.countAbandoned()
	case f.Kind.Failover():
		stats.Failed(now)
	}
}

func (r *Run) measured(now time.Time) upstream.Measure {
	m := upstream.Measure{Total: now.Sub(r.started), Tokens: r.tokens}
	if r.wantsStream {
		m.FirstToken = r.first
	}
	return m
}

// Abandon notes the end of the attempt under way when its client has left. It
// sends and closes nothing.
func (r *Run) Abandon(f *fault.Error) {
	if r.answer != nil && !r.finished {
		r.record(f)
	}
}

// countAbandoned counts a stream that its client gave up after it had begun: how
// soon it began is known, how fast it would have gone on is not.
func (r *Run) countAbandoned() {
	if !r.content || r.finished {
		return
	}
	r.finished = true
	r.current.Endpoint.State.Stats.Answered(time.Now(), upstream.Measure{FirstToken: r.first})
}
