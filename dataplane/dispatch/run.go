// Package dispatch carries one request through its candidates: it alone
// decides on another attempt. To its caller the attempts look like one answer.
package dispatch

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/sse"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// Run is one request on its way. It belongs to the goroutine of the request;
// only Cancel may be used from another. The zero value is ready for Start.
type Run struct {
	task        Task
	wantsStream bool
	plan        []route.Candidate
	cancel      *upstream.Cancel
	caller      uint64
	policy      Policy

	// of the request
	next     int // the next candidate
	current  route.Candidate
	inside   bool      // holds a place at current
	deadline time.Time // of all attempts together, zero for none
	repeat   bool      // the next attempt is at current
	keys     int       // that were tried at current
	redialed bool
	waits    int
	resume   time.Time    // when the next attempt may begin
	soonest  time.Time    // when the first of the busy endpoints wants to be asked again
	last     *fault.Error // of the last attempt
	attempts []wire.Attempt
	refused  refusals
	dropped  chat.ParamSet
	renewed  bool // a refused token was replaced, once
	content  bool // an event with content was returned: no other endpoint any more
	finished bool

	// of the current attempt
	answer     upstream.Answer
	credential *snapshot.Credential
	auth       codec.Header
	decoder    codec.Decoder
	call       codec.Call
	headed     bool
	mode       mode
	started    time.Time
	first      time.Duration // from started to the first content, 0 before
	tokens     int64         // of the completion, as told so far
	silent     time.Time     // since when nothing has arrived that is progress
	reader     sse.Reader
	body       []byte
	events     []chat.Event
}

// mode is what an answer's body turned out to be.
type mode uint8

const (
	undecided mode = iota
	unary          // one JSON document
	stream         // server-sent events
)

const (
	// maxBody bounds a whole answer, maxErrorBody one with an error status.
	maxBody      = 64 << 20
	maxErrorBody = 64 << 10
	// errorWait bounds the wait for the body of an error.
	errorWait = 5 * time.Second
	// keepBuffer is the largest buffer that a Run keeps for its next request.
	keepBuffer = 256 << 10
)

// Request is what a Run carries out.
type Request struct {
	// Task and Plan must not change until Close. The plan has at least one
	// candidate.
	Task   Task
	Plan   []route.Candidate
	Cancel *upstream.Cancel
	// Caller tells callers apart, 0 is nobody in particular.
	Caller uint64
	Policy Policy
}

// Start begins a request.
func (r *Run) Start(q Request) {
	r.task, r.wantsStream, r.plan, r.cancel, r.caller, r.policy = q.Task, q.Task.Streamed(), q.Plan, q.Cancel, q.Caller, q.Policy
	r.next, r.current, r.attempts, r.dropped = 0, route.Candidate{}, r.attempts[:0], 0
	r.refused, r.content, r.finished, r.renewed = refusals{}, false, false, false
	r.repeat, r.redialed, r.waits, r.last, r.credential = false, false, 0, nil, nil
	r.resume, r.soonest, r.deadline = time.Time{}, time.Time{}, time.Time{}
	if q.Policy.Deadline > 0 {
		r.deadline = time.Now().Add(q.Policy.Deadline)
	}
	if q.Policy.Budget != nil {
		q.Policy.Budget.Request()
	}
}

// Current is the candidate of the attempt that is under way, or was last.
func (r *Run) Current() route.Candidate { return r.current }

// Attempts lists the attempts so far. It is valid until the next Start.
func (r *Run) Attempts() []wire.Attempt { return r.attempts }

// Dropped are the parameters that the answering endpoint does not take.
func (r *Run) Dropped() chat.ParamSet { return r.dropped }

// Next returns the next events of the answer, or upstream.ErrSilent after wait
// without any; a wait of 0 asks for what has arrived already and never blocks.
// Any other error is a *fault.Error and final. The events are valid until the
// next call.
func (r *Run) Next(wait time.Duration) ([]chat.Event, error) {
	for {
		if r.answer == nil {
			if wait == 0 {
				return nil, upstream.ErrSilent
			}
			if err := r.open(wait); err != nil {
				return nil, err
			}
		}
		events, err := r.step(wait)
		if err == nil {
			if len(events) > 0 {
				return events, nil
			}
			continue
		}
		if errors.Is(err, upstream.ErrSilent) {
			return nil, err
		}
		if f := fault.From(err); !r.failover(f) {
			return nil, r.final(f)
		}
	}
}

// open sends the request to the next candidate that takes it.
func (r *Run) open(wait time.Duration) error {
	for {
		if err := r.pause(wait); err != nil {
			return err
		}
		r.started = time.Now()
		r.silent = r.started
		if !r.pick() {
			return r.noCandidate()
		}
		f := r.attempt()
		if f == nil {
			return nil
		}
		r.record(f)
		r.release()
		if !r.shouldRetry(f) {
			return r.final(f)
		}
	}
}

// attempt sends the request to the current endpoint.
func (r *Run) attempt() *fault.Error {
	r.first, r.tokens, r.credential = 0, 0, nil
	r.call.Reset()
	// A request that one endpoint's language cannot express may do for the next.
	if err := r.task.Encode(r.current.Endpoint.Adapter, &r.call); err != nil {
		return fault.From(err)
	}
	if err := r.send(r.current.Endpoint); err != nil {
		f := fault.From(err)
		r.refused.note(f, r.current.Model)
		return f
	}
	return nil
}

func (r *Run) send(e *snapshot.Endpoint) error {
	r.credential = r.key(e, r.started)
	var err error
	if r.auth, err = r.credential.Header(context.Background()); err != nil { //nolint:forbidigo // a fetch is bounded by itself
		return err
	}
	e.State.Requests.Add(1)
	answer, err := e.Sender.Send(&r.call, r.auth, r.cancel)
	if err != nil {
		return err
	}
	r.answer, r.decoder = answer, r.task.Decoder(e.Adapter)
	r.headed, r.mode, r.reader, r.body = false, undecided, sse.Reader{}, r.body[:0]
	r.dropped = r.call.Dropped
	return nil
}

// failover closes the failed attempt and reports whether there is another one:
// never once content was returned.
func (r *Run) failover(f *fault.Error) bool {
	r.record(f)
	r.close()
	r.refused.note(f, r.current.Model)
	return r.shouldRetry(f)
}

// record notes the end of an attempt; f is nil for success.
func (r *Run) record(f *fault.Error) {
	a := wire.Attempt{Endpoint: r.current.Endpoint.ID, Status: 200, MS: time.Since(r.started).Milliseconds()}
	if f != nil {
		a.Status, a.Kind = f.Status, f.Kind.String()
		r.last = f
		r.judge(f, time.Now())
	}
	r.measure(f)
	r.attempts = append(r.attempts, a)
}

// close ends the attempt. Its place is released also if it never got as far as
// an answer, or panics here.
func (r *Run) close() {
	defer r.release()
	if answer := r.answer; answer != nil {
		r.answer = nil
		answer.Close()
	}
}

// Close ends the request, whatever state it is in, and frees its memory for
// the next one.
func (r *Run) Close() {
	if r.answer != nil {
		r.countAbandoned()
	}
	r.close()
	r.task, r.plan, r.cancel, r.decoder, r.reader = nil, nil, nil, nil, sse.Reader{}
	r.current, r.attempts, r.dropped, r.refused = route.Candidate{}, r.attempts[:0], 0, refusals{}
	r.last, r.credential, r.policy = nil, nil, Policy{}
	if cap(r.body) > keepBuffer {
		r.body = nil
	}
	if cap(r.call.Body) > keepBuffer {
		r.call.Body = nil
	}
}

// step waits for the next events of the current attempt.
func (r *Run) step(wait time.Duration) ([]chat.Event, error) {
	if !r.headed {
		return nil, r.head(wait)
	}
	switch r.mode {
	case unary:
		return r.unaryBody(wait)
	case stream:
		return r.streamed(wait)
	case undecided:
	}
	return nil, r.decide(wait)
}

// head waits for the status and turns an error status into its fault.
func (r *Run) head(wait time.Duration) error {
	if wait == 0 {
		return upstream.ErrSilent
	}
	status, err := r.answer.Head(r.remaining(wait))
	if err != nil {
		return r.asTimeout(err)
	}
	r.headed = true
	if !r.wantsStream {
		r.mode = unary
	}
	if status >= 200 && status <= 299 {
		return nil
	}
	for len(r.body) < maxErrorBody {
		if err := r.readBody(errorWait); err != nil {
			break // whatever was read has to do
		}
	}
	f := r.current.Endpoint.Adapter.Fault(status, r.body)
	if wait := retryAfter(r.answer); wait > 0 {
		f.RetryAfter = wait
	}
	return f
}

// decide looks at the first byte: some upstreams answer a streamed request
// with one JSON document, mostly to tell of an error.
func (r *Run) decide(wait time.Duration) error {
	space := r.reader.Space()
	n, err := r.read(space, wait)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return fault.New(fault.Unavailable, "The upstream's answer is empty")
		}
		return err
	}
	for _, ch := range space[:n] {
		switch ch {
		case ' ', '\t', '\r', '\n':
			continue
		case '{', '[', '<':
			r.mode = unary
			r.body = append(r.body, space[:n]...)
		default:
			r.mode = stream
			r.reader.Advance(n)
		}
		return nil
	}
	return nil // white space that keeps the connection alive
}

func (r *Run) unaryBody(wait time.Duration) ([]chat.Event, error) {
	for {
		err := r.readBody(wait)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(r.body) > maxBody {
			return nil, fault.New(fault.Unavailable, "The upstream's answer is too large")
		}
	}
	events, err := r.decoder.Body(r.body, r.events[:0])
	return r.deliver(events, err)
}

func (r *Run) readBody(wait time.Duration) error {
	if cap(r.body)-len(r.body) < 4096 {
		grown := make([]byte, len(r.body), max(2*cap(r.body), 16<<10))
		copy(grown, r.body)
		r.body = grown
	}
	n, err := r.read(r.body[len(r.body):cap(r.body)], wait)
	r.body = r.body[:len(r.body)+n]
	return err
}

func (r *Run) streamed(wait time.Duration) ([]chat.Event, error) {
	for {
		ev, ok, err := r.reader.Next()
		if err != nil {
			return nil, &fault.Error{Kind: fault.Unavailable, Message: "The upstream sent an event that is too large", Err: err}
		}
		if ok {
			events, err := r.decoder.Event(ev.Name, ev.Data, r.events[:0])
			return r.deliver(events, err)
		}
		n, err := r.read(r.reader.Space(), wait)
		switch {
		case errors.Is(err, io.EOF):
			return r.atEOF()
		case err != nil:
			return r.broken(err)
		}
		r.reader.Advance(n)
	}
}

// atEOF takes what a stream without a terminal event left behind.
func (r *Run) atEOF() ([]chat.Event, error) {
	if ev, ok := r.reader.End(); ok {
		events, err := r.decoder.Event(ev.Name, ev.Data, r.events[:0])
		return r.deliver(events, err)
	}
	events, err := r.decoder.EOF(r.events[:0])
	return r.deliver(events, err)
}

// broken ends a stream whose connection failed. Where the answer was
// complete but for the protocol's last word, nothing was lost.
func (r *Run) broken(err error) ([]chat.Event, error) {
	if errors.Is(err, upstream.ErrSilent) || fault.KindOf(err) == fault.Canceled {
		return nil, err
	}
	if events, eof := r.decoder.EOF(r.events[:0]); eof == nil {
		return r.deliver(events, nil)
	}
	return nil, err
}

// deliver looks at decoded events before they go out: a fault inside ends the
// attempt, content commits it, the terminal event completes it.
func (r *Run) deliver(events []chat.Event, err error) ([]chat.Event, error) {
	r.events = events
	if err != nil {
		return nil, err
	}
	r.silent = time.Now()
	for i := range events {
		ev := &events[i]
		if ev.Fault != nil {
			return nil, ev.Fault
		}
		if ev.Usage != nil {
			r.tokens = ev.Usage.Completion
		}
		if !r.content && (ev.HasContent() || ev.Finish != chat.NotFinished) {
			r.content = true
			r.first = r.silent.Sub(r.started)
			r.current.Endpoint.State.Succeeded()
		}
		if ev.Done && !r.finished {
			r.finished = true
			r.record(nil)
		}
	}
	return events, nil
}
