// Package dispatch carries one request through its candidates: it alone
// decides on another attempt. To its caller the attempts look like one answer.
package dispatch

import (
	"errors"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/trace"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// Run is one request on its way. It belongs to the goroutine of the request;
// only Cancel may be used from another. The zero value is ready for Start.
type Run struct {
	request request
	attempt attempt
	buffers buffers
	duel    duel
}

// Request is what a Run carries out.
type Request struct {
	// Task and Plan must not change until Close. The plan has at least one
	// candidate.
	Task   Task
	Plan   []route.Candidate
	Cancel *upstream.Cancel
	// Caller identifies the caller, 0 is none in particular.
	Caller uint64
	// Key and Priority say whose turn it is in the queues of models.
	Key      string
	Priority int
	// ClientRetries means that the client itself waits for a Retry-After and asks
	// again: the gateway does not do it for it.
	ClientRetries bool
	// MayHedge allows a second endpoint to be asked where the model says so: the
	// request has no effect but its answer, and each of the task's decoders is by
	// itself.
	MayHedge bool
	// Trace is handed on to the upstreams.
	Trace  trace.Context
	Policy Policy
	// Limits counts what endpoints' providers allow; Need is how much of it the
	// request takes at most. They are used only where an endpoint has limits.
	Limits Limits
	Need   limits.Need
	// Spare leaves the last place at an endpoint to others, unless there is only one.
	Spare bool
}

// request is the state of one request. It is replaced by Start and by Close.
type request struct {
	Request
	streamed bool
	deadline time.Time // of all attempts together, zero for none
	next     int       // the next candidate
	at       int       // the candidate of the current attempt
	line     line
	hedge    hedging
	repeat   bool // the next attempt is at the same endpoint
	keys     int  // that were tried at the endpoint
	redialed bool
	renewed  bool         // a refused token was replaced, once
	waited   bool         // for a Retry-After, once
	resume   time.Time    // when the next attempt may begin
	soonest  time.Time    // when the first of the busy endpoints wants to be asked again
	spent    spent        // the endpoints whose provider allows no more
	last     *fault.Error // of the last attempt
	attempts []wire.Attempt
	refused  refusals
	dropped  chat.ParamSet
	content  bool // an event with content was returned: no other endpoint any more
}

// buffers are the memory that a Run keeps for its next request.
type buffers struct {
	call     codec.Call
	body     []byte
	events   []chat.Event
	attempts []wire.Attempt
}

// keepBuffer is the largest buffer that a Run keeps for its next request.
const keepBuffer = 256 << 10

// Start begins a request.
func (r *Run) Start(q Request) {
	r.request = request{Request: q, streamed: q.Task.Streamed(), attempts: r.buffers.attempts[:0]}
	r.attempt = attempt{}
	if q.Policy.Deadline > 0 {
		r.request.deadline = time.Now().Add(q.Policy.Deadline)
	}
	if q.Policy.Budget != nil {
		q.Policy.Budget.Request()
	}
}

// Close ends the request, whatever state it is in, and frees its memory for
// the next one. It may be called more than once.
func (r *Run) Close() {
	defer r.forget()
	r.awaitRival()
	r.leave()
	r.attempt.countAbandoned()
	r.attempt.end()
}

func (r *Run) forget() {
	if r.request.attempts != nil {
		r.buffers.attempts = r.request.attempts[:0]
	}
	r.request, r.attempt = request{}, attempt{}
	if cap(r.buffers.body) > keepBuffer {
		r.buffers.body = nil
	}
	if cap(r.buffers.call.Body) > keepBuffer {
		r.buffers.call.Body = nil
	}
}

// Current is the candidate of the attempt that is under way, or was last.
func (r *Run) Current() route.Candidate { return r.attempt.Candidate }

// Attempts lists the attempts so far. It is valid until the next Start.
func (r *Run) Attempts() []wire.Attempt { return r.request.attempts }

// Dropped are the parameters that the answering endpoint does not take.
func (r *Run) Dropped() chat.ParamSet { return r.request.dropped }

// Omitted names what else of the request the answering endpoint did not get. It
// is valid until the next attempt.
func (r *Run) Omitted() []string { return r.buffers.call.Omitted }

// Next returns the next events of the answer, or upstream.ErrSilent after wait
// without any, whatever else arrives meanwhile; a wait of 0 asks for what has
// arrived already and never blocks. Any other error is a *fault.Error and
// final. The events are valid until the next call.
func (r *Run) Next(wait time.Duration) ([]chat.Event, error) {
	var until time.Time // zero does not block
	if wait > 0 {
		now := time.Now()
		until = now.Add(wait)
		r.attempt.listen(now)
	}
	for {
		events, err := r.advance(until)
		if err == nil {
			if len(events) > 0 {
				return events, nil
			}
			continue
		}
		if errors.Is(err, upstream.ErrSilent) {
			return nil, err
		}
		f := r.attempt.redact(fault.From(err))
		if !r.attempt.place.Held() || !r.failover(f) {
			return nil, r.final(f)
		}
	}
}

// advance takes one step: to the next attempt, or within the one under way.
func (r *Run) advance(until time.Time) ([]chat.Event, error) {
	if h := &r.request.hedge; !r.request.content && (h.rival != nil || h.counted && r.attempt.answer != nil) {
		return r.proceed(until)
	}
	if r.attempt.answer != nil {
		return r.step(until)
	}
	if until.IsZero() {
		return nil, upstream.ErrSilent
	}
	if !r.attempt.place.Held() {
		if err := r.pause(until); err != nil {
			return nil, err
		}
		if r.request.line.waiter != nil || !r.pick() {
			if err := r.queue(until); err != nil {
				return nil, err
			}
		}
		if err := r.encode(); err != nil {
			return nil, err
		}
	}
	return nil, r.send(until)
}

// pick moves to the next candidate that admits a request now; false if there
// is none.
func (r *Run) pick() bool {
	now := time.Now()
	q := &r.request
	if q.repeat {
		q.repeat = false
		if r.begin(r.attempt.Candidate, now) {
			return true
		}
		q.pass(q.at)
	}
	for r.hasNext() {
		c := q.Plan[q.next]
		q.next++
		// A place that is free while others wait for one is theirs.
		if waiting := c.Model.Queue != nil && c.Model.Queue.Waiting() > 0; !waiting && r.begin(c, now) {
			q.at, q.keys = q.next-1, 0
			return true
		}
		q.pass(q.next - 1)
	}
	return false
}

// begin starts an attempt, if there is a place for it.
func (r *Run) begin(c route.Candidate, now time.Time) bool {
	most := c.Endpoint.MaxConcurrency
	if r.request.Spare && most > 1 {
		most--
	}
	place, ok := c.Endpoint.State.Acquire(now, most)
	if !ok {
		return false
	}
	next := attempt{Candidate: c, place: place, started: now, silent: now}
	if len(c.Endpoint.Limits) > 0 && !r.admit(&next) {
		place.Release()
		return false
	}
	r.attempt = next
	if c.Model.Policy == snapshot.Latency {
		c.Endpoint.State.Latency(r.request.streamed).Tried(now)
	}
	return true
}

// encode writes the request in the endpoint's language. A request that cannot
// be said in it may do for the next endpoint.
func (r *Run) encode() error {
	r.buffers.call.Reset()
	if err := r.request.Task.Encode(r.attempt.Endpoint.Adapter, &r.buffers.call); err != nil {
		return err
	}
	r.buffers.call.Override(r.attempt.Endpoint.Headers)
	r.attempt.span = r.request.Trace.NewSpan()
	r.buffers.call.Headers = r.request.Trace.Append(r.buffers.call.Headers, r.attempt.span)
	r.attempt.encoded = true
	r.attempt.decoder = r.request.Task.Decoder(r.attempt.Endpoint.Adapter)
	r.attempt.credential = r.key(r.attempt.Endpoint, r.attempt.started)
	return nil
}

// send authorizes the request and sends it. ErrSilent if there is no token
// until then.
func (r *Run) send(until time.Time) error {
	if err := r.authorize(until); err != nil {
		return err
	}
	a := &r.attempt
	if err := a.credential.Sign(&r.buffers.call, a.auth, time.Now()); err != nil {
		return err
	}
	e := a.Endpoint
	e.State.Requests.Add(1)
	if a.awaited = r.request.streamed; a.awaited {
		e.State.Counts.Sent()
	}
	answer, err := e.Sender.Send(&r.buffers.call, a.auth, r.canceler())
	if err != nil {
		return err
	}
	a.answer, a.sent = answer, true
	r.buffers.body = r.buffers.body[:0]
	r.request.dropped = r.buffers.call.Dropped
	return nil
}

// failover ends the failed attempt and reports whether there is another one.
func (r *Run) failover(f *fault.Error) bool {
	r.record(f)
	if r.attempt.encoded {
		r.request.refused.note(f, r.attempt.Model)
	}
	r.forgive(f)
	r.attempt.end()
	return r.shouldRetry(f)
}

// record notes the end of the attempt; f is nil for success.
func (r *Run) record(f *fault.Error) {
	a := &r.attempt
	if a.recorded {
		return
	}
	now := time.Now()
	noted := wire.Attempt{Endpoint: a.Endpoint.ID, Status: 200, MS: now.Sub(a.started).Milliseconds()}
	if f != nil {
		noted.Status, noted.Kind = f.Status, f.Kind.String()
		r.request.last = f
		a.judge(f, now)
		if h := &r.request.hedge; h.duel != nil && h.duel.lostBy(h.side) {
			noted.Status, noted.Kind = 0, wire.AttemptHedged
		}
	}
	if f == nil && !r.request.content {
		a.place.Succeeded()
	}
	a.measure(f, now, r.request.streamed)
	a.recorded = true
	r.request.attempts = append(r.request.attempts, noted)
	if spans := r.request.Trace.Spans(); spans != nil {
		call := trace.Call{ID: a.span, Start: a.started, End: now, Failed: noted.Kind}
		if h := &r.request.hedge; h.side == rivals {
			h.calls = append(h.calls, call)
		} else {
			spans.Called(call)
		}
	}
}

// Abandon notes the end of the attempt under way when its client has left. It
// sends and closes nothing.
func (r *Run) Abandon(f *fault.Error) {
	if r.attempt.answer != nil {
		r.record(f)
	}
}

// key picks one of the endpoint's credentials: a caller keeps to one, for the
// sake of the provider's caches, as long as it is not refused.
func (r *Run) key(e *snapshot.Endpoint, now time.Time) *snapshot.Credential {
	r.request.keys++
	n := uint64(len(e.Auth))
	if n == 1 {
		return e.Auth[0]
	}
	first := r.request.Caller % n
	if r.request.Caller == 0 {
		first = uint64(e.State.NextKey(len(e.Auth)))
	}
	for i := range n {
		if c := e.Auth[(first+i)%n]; !c.State.RestsUntil().After(now) {
			return c
		}
	}
	return e.Auth[first]
}
