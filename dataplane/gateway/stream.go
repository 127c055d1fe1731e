package gateway

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// errCutShort ends a body without its final chunk.
var errCutShort = errors.New("the stream was cut short")

// open sends the head of a streamed answer with its first content, so that
// until then a failure can still be an error status or another endpoint's
// answer; false if it has become a refusal.
func (r *reply) open() bool {
	r.stream, r.written = r.translator.Stream(), r.caller.started
	for len(*r.stream.Buffer()) == 0 && !r.ended {
		if err := r.fill(); err != nil {
			r.fail(fault.From(err))
			return false
		}
	}
	r.setHeaders(200, "text/event-stream")
	h := &r.caller.ctx.Response.Header
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	r.conn = r.caller.ctx.Conn()
	r.caller.ctx.Response.ImmediateHeaderFlush = false
	return true
}

// fill takes the next events into the buffer, or something to keep the client
// waiting once it has got nothing for too long: the upstream may be silent, or
// send what means nothing to the client.
func (r *reply) fill() error {
	wait := time.Until(r.written.Add(r.opts.KeepAlive))
	if wait > 0 {
		err := r.pull(wait)
		if !errors.Is(err, upstream.ErrSilent) {
			return err
		}
	}
	r.stream.KeepAlive()
	return nil
}

// pull takes the next events into the buffer. ended is set with the last.
func (r *reply) pull(wait time.Duration) error {
	events, err := r.attempt.run.Next(wait)
	if err != nil {
		return err
	}
	for i := range events {
		ev := &events[i]
		if !r.begun && (ev.HasContent() || ev.Finish != 0 || ev.Done) {
			r.begin()
			r.copies.draw()
		}
		r.account.note(ev)
		r.fresh = r.fresh || ev.HasContent()
		r.stream.Event(ev)
		if ev.Done {
			r.stream.End(r.account.settle(wire.EndComplete, 200, nil))
			r.ended = true
		}
	}
	return nil
}

func (r *reply) begin() {
	r.begun = true
	r.stream.Begin(r.attempt.head(r.account.id))
}

// writeTo writes the stream. Each Write is one flushed chunk, and one that
// fails is a client that left.
func (r *reply) writeTo(w io.Writer) error {
	for {
		if err := r.flush(w); err != nil {
			r.clientGone(err)
			return err
		}
		r.copies.send()
		if r.ended {
			return nil
		}
		if err := r.advance(); err != nil {
			return err
		}
	}
}

// advance fills the buffer with all that has arrived, at least one event: what
// arrived together leaves together, and nothing waits for more.
func (r *reply) advance() error {
	err := r.fill()
	for err == nil && !r.ended {
		err = r.pull(0)
	}
	if err == nil || errors.Is(err, upstream.ErrSilent) {
		return nil
	}
	f := fault.From(err)
	if f.Kind == fault.Canceled {
		r.clientGone(f)
		return errCutShort
	}
	r.breakOff(f)
	return nil
}

// flush writes out the buffer.
func (r *reply) flush(w io.Writer) error {
	buf := r.stream.Buffer()
	if len(*buf) == 0 {
		return nil
	}
	r.written = time.Now()
	r.noteGap()
	if r.written.Sub(r.deadlineSet) > r.opts.Stall/16 { // not for every write
		r.deadlineSet = r.written
		if err := r.conn.SetWriteDeadline(r.written.Add(r.opts.Stall)); err != nil {
			return fmt.Errorf("set write deadline: %w", err)
		}
	}
	err := r.write(w, *buf)
	*buf = (*buf)[:0]
	return err
}

// write sends what is a chunk of its own. The first goes out with the head, through
// the server; the others in one piece, which the server would cut at its buffer.
func (r *reply) write(w io.Writer, p []byte) error {
	if r.chunks != nil {
		return r.chunks.writeChunk(p)
	}
	if _, err := w.Write(p); err != nil {
		return err
	}
	if _, unframed := w.(net.Conn); !unframed {
		r.chunks, _ = r.conn.(*connection)
	}
	return nil
}

// noteGap counts the time since the content before.
func (r *reply) noteGap() {
	if !r.fresh {
		return
	}
	if r.fresh = false; !r.content.IsZero() {
		r.gaps.Add(r.written.Sub(r.content))
	}
	r.content = r.written
}

// breakOff ends a stream that has begun with an error event.
func (r *reply) breakOff(f *fault.Error) {
	r.logFault(f)
	p := r.attempt.problem(f)
	if !r.begun {
		r.begin()
	}
	r.account.settle(endOf(f), 200, f)
	r.stream.Fail(p)
	r.ended = true
}

// clientGone settles what was used up to now.
func (r *reply) clientGone(err error) {
	f := &fault.Error{Kind: fault.Canceled, Message: "The client disconnected", Err: err}
	r.attempt.abandon(f)
	r.account.settle(wire.EndClientGone, 499, f)
}
