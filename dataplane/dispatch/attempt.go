package dispatch

import (
	"time"

	otel "go.opentelemetry.io/otel/trace"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/sse"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// attempt is the state of one attempt at an endpoint. It is replaced by the
// next one and keeps its candidate after its end.
type attempt struct {
	route.Candidate
	place      upstream.Place
	share      limits.Hold // of the provider's limits
	credential *snapshot.Credential
	auth       codec.Header
	answer     upstream.Answer
	decoder    codec.Decoder
	// frames reads a stream: events, unless the endpoint has frames of its own.
	frames   codec.Frames
	events   sse.Reader
	mode     mode
	status   int
	encoded  bool // the endpoint's language can say the request
	recorded bool // its end was noted
	sent     bool
	progress bool // the last thing returned was progress
	span     otel.SpanID
	started  time.Time
	// silent is since when there was no progress: the start, or when the caller
	// came back for more after the last.
	silent time.Time
	first  time.Duration // from the start to the first content, 0 before
	tokens int64         // of the completion, as reported so far
	// awaited means that a streamed answer was asked for and has no content yet,
	// abandoned how long a client that has left had waited for it.
	awaited   bool
	abandoned time.Duration
}

// mode is what an answer turned out to be.
type mode uint8

const (
	headless mode = iota // there is no status yet
	undecided
	unary  // one JSON document
	stream // server-sent events
	failed // an error status, whose body is read
)

// listen notes that the caller waits again: what it took to come back is not
// the upstream's silence.
func (a *attempt) listen(now time.Time) {
	if a.progress {
		a.progress, a.silent = false, now
	}
}

// end closes the answer and gives the place back, the first time that it is
// called.
func (a *attempt) end() {
	defer a.place.Release()
	a.countBlank()
	if a.answer != nil {
		answer := a.answer
		a.answer = nil
		answer.Close()
	}
}

// judge adds a fault to what is known of the endpoint. One of several keys
// rests by itself, the endpoint only when none is left.
func (a *attempt) judge(f *fault.Error, now time.Time) {
	keys := a.Endpoint.Auth
	if len(keys) < 2 || a.credential == nil || !upstream.OfKey(f) {
		a.place.Failed(f, now)
		return
	}
	a.credential.State.Refused(f, now)
	if usableKey(a.Endpoint, now) != nil {
		return
	}
	first := keys[0].State.RestsUntil()
	for _, c := range keys[1:] {
		if at := c.State.RestsUntil(); at.Before(first) {
			first = at
		}
	}
	a.Endpoint.State.Pause(first, f)
}

// measure adds the attempt that has just ended to the statistics of its
// endpoint. f is nil for success. A client that left takes nothing from an
// endpoint that was answering; a request that is at fault itself says nothing.
func (a *attempt) measure(f *fault.Error, now time.Time, streamed bool) {
	stats, counts := &a.Endpoint.State.Stats, &a.Endpoint.State.Counts
	switch {
	case f == nil:
		counts.Answered()
		m := upstream.Measure{Total: now.Sub(a.started), Tokens: a.tokens}
		if streamed {
			m.FirstToken = a.first
		}
		stats.Answered(now, m)
	case f.Kind == fault.Canceled:
		if a.awaited {
			a.abandoned = now.Sub(a.started)
		}
		a.countAbandoned()
	case f.Kind.Failover():
		counts.Failed()
		stats.Failed(now)
		if a.Model.Policy == snapshot.Latency {
			a.Endpoint.State.Latency(streamed).Failed(now.Sub(a.started), now)
		}
	case f.Kind != fault.Internal:
		counts.Rejected()
	}
}

// countAbandoned counts a stream that its client gave up after it had begun:
// how soon it began is known, how fast it would have gone on is not.
func (a *attempt) countAbandoned() {
	if a.first > 0 && !a.recorded {
		a.recorded = true
		a.Endpoint.State.Counts.Answered()
		a.Endpoint.State.Stats.Answered(time.Now(), upstream.Measure{FirstToken: a.first})
	}
}

// countBlank counts a streamed answer that has ended without content.
func (a *attempt) countBlank() {
	if a.awaited {
		a.awaited = false
		a.Endpoint.State.Counts.Blank(a.abandoned)
	}
}
