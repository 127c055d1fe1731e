package dispatch

import (
	"errors"
	"io"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

const (
	// maxBody bounds a unary answer, maxErrorBody one with an error status.
	maxBody      = 64 << 20
	maxErrorBody = 64 << 10
	// errorWait bounds the wait for the body of an error.
	errorWait = 5 * time.Second
)

// step waits until then for the next events of the answer.
func (r *Run) step(until time.Time) ([]chat.Event, error) {
	switch r.attempt.mode {
	case unary:
		return r.unaryBody(until)
	case stream:
		return r.streamed(until)
	case failed:
		return nil, r.errorBody(until)
	case headless:
		return nil, r.head(until)
	case undecided:
	}
	return nil, r.decide(until)
}

// head waits for the status.
func (r *Run) head(until time.Time) error {
	a := &r.attempt
	wait, err := r.remaining(until)
	if err != nil {
		return err
	}
	if a.status, err = a.answer.Head(wait); err != nil {
		return r.asTimeout(err)
	}
	switch {
	case a.status < 200 || a.status > 299:
		a.mode, a.silent = failed, time.Now()
	case r.request.streamed:
		a.mode = undecided
	default:
		a.mode = unary
	}
	return nil
}

// errorBody reads the body of an error status and returns its fault.
func (r *Run) errorBody(until time.Time) error {
	a := &r.attempt
	if err := r.readError(until); err != nil {
		return err
	}
	f := a.Endpoint.Adapter.Fault(a.status, r.buffers.body)
	if wait := retryAfter(a.answer); wait > 0 {
		f.RetryAfter = wait
	}
	return f
}

// readError reads as much of an error's body as comes in time. It fails only
// where there is to be no fault of it, or not yet.
func (r *Run) readError(until time.Time) error {
	end := r.attempt.silent.Add(errorWait)
	for len(r.buffers.body) < maxErrorBody {
		now := time.Now()
		switch {
		case !now.Before(end):
			return nil
		case !now.Before(until):
			return upstream.ErrSilent
		}
		err := r.fill(min(end.Sub(now), until.Sub(now)))
		switch {
		case err == nil, errors.Is(err, upstream.ErrSilent):
		case isCanceled(err):
			return err
		default:
			return nil
		}
	}
	return nil
}

// decide looks at the first byte: some upstreams answer a streamed request
// with one JSON document, mostly to report an error.
func (r *Run) decide(until time.Time) error {
	a := &r.attempt
	if framed, ok := a.Endpoint.Adapter.(codec.Framed); ok && a.frames == nil {
		a.frames, a.mode = framed.Frames(), stream
		return nil
	}
	a.frames = &a.events
	space := a.frames.Space()
	n, err := r.read(space, until)
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
			a.mode = unary
			r.buffers.body = append(r.buffers.body, space[:n]...)
		default:
			a.mode = stream
			a.frames.Advance(n)
		}
		return nil
	}
	return nil // white space that keeps the connection alive
}

func (r *Run) unaryBody(until time.Time) ([]chat.Event, error) {
	for {
		wait, err := r.remaining(until)
		if err != nil {
			return nil, err
		}
		if err = r.fill(wait); errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, r.asTimeout(err)
		}
		if len(r.buffers.body) > maxBody {
			return nil, fault.New(fault.Unavailable, "The upstream's answer is too large")
		}
	}
	events, err := r.attempt.decoder.Body(r.buffers.body, r.buffers.events[:0])
	return r.deliver(events, err)
}

// fill reads more of a body that is kept in one piece.
func (r *Run) fill(wait time.Duration) error {
	body := r.buffers.body
	if cap(body)-len(body) < 4096 {
		grown := make([]byte, len(body), max(2*cap(body), 16<<10))
		copy(grown, body)
		body = grown
	}
	n, err := r.attempt.answer.Read(body[len(body):cap(body)], wait)
	r.buffers.body = body[:len(body)+n]
	return err
}

func (r *Run) streamed(until time.Time) ([]chat.Event, error) {
	a := &r.attempt
	for {
		ev, ok, err := a.frames.Next()
		if err != nil {
			return nil, &fault.Error{Kind: fault.Unavailable, Message: "The upstream sent an event that is too large or malformed", Err: err}
		}
		if ok {
			events, err := a.decoder.Event(ev.Name, ev.Data, r.buffers.events[:0])
			return r.deliver(events, err)
		}
		n, err := r.read(a.frames.Space(), until)
		switch {
		case errors.Is(err, io.EOF):
			return r.atEOF()
		case err != nil:
			return r.broken(err)
		}
		a.frames.Advance(n)
	}
}

// atEOF takes what a stream without a terminal event left behind.
func (r *Run) atEOF() ([]chat.Event, error) {
	a := &r.attempt
	if ev, ok := a.frames.End(); ok {
		events, err := a.decoder.Event(ev.Name, ev.Data, r.buffers.events[:0])
		return r.deliver(events, err)
	}
	events, err := a.decoder.EOF(r.buffers.events[:0])
	return r.deliver(events, err)
}

// broken ends a stream whose connection failed. Where the answer was complete
// but for the protocol's terminal event, nothing was lost.
func (r *Run) broken(err error) ([]chat.Event, error) {
	if errors.Is(err, upstream.ErrSilent) || isCanceled(err) {
		return nil, err
	}
	if events, eof := r.attempt.decoder.EOF(r.buffers.events[:0]); eof == nil {
		return r.deliver(events, nil)
	}
	return nil, err
}

// deliver looks at decoded events before they go out: a fault inside ends the
// attempt, content commits it, the terminal event completes it.
func (r *Run) deliver(events []chat.Event, err error) ([]chat.Event, error) {
	r.buffers.events = events
	if err != nil {
		return nil, err
	}
	a := &r.attempt
	for i := range events {
		ev := &events[i]
		if ev.Fault != nil {
			return nil, ev.Fault
		}
		if ev.Usage != nil && !ev.Usage.Plausible() {
			ev.Usage = nil
		}
		content := ev.HasContent() || ev.Finish != chat.NotFinished
		if content || ev.Usage != nil || ev.Done {
			a.progress = true
		}
		if ev.Usage != nil {
			a.tokens = ev.Usage.Completion
		}
		if (content || ev.Done) && !r.request.content && !r.wins() {
			return nil, errBeaten()
		}
		if content && !r.request.content {
			r.request.content = true
			a.first = max(1, time.Since(a.started))
			if a.awaited {
				a.awaited = false
				a.Endpoint.State.Counts.Began(a.first)
			}
			if a.Model.Policy == snapshot.Latency {
				a.Endpoint.State.Latency(r.request.streamed).Note(a.first, a.started.Add(a.first))
			}
			a.place.Succeeded()
		}
		if ev.Done {
			r.record(nil)
		}
	}
	return events, nil
}
