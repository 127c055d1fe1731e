package gateway

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// errCutShort ends a body without its final chunk.
var errCutShort = errors.New("the stream was cut short")

// SupportsBodyWriteTo implements fasthttp.BodyWriterTo.
func (x *exchange) SupportsBodyWriteTo() bool { return true }

// Read implements io.Reader, which fasthttp asks for and does not use.
func (x *exchange) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// WriteTo implements fasthttp.BodyWriterTo. It runs on the connection's own
// goroutine: each Write is one flushed chunk, a Write that fails is a client
// that left, and an error return leaves out the final chunk.
func (x *exchange) WriteTo(w io.Writer) (n int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			x.g.panicked(r)
			x.settle(wire.EndUpstreamError, 500, internal())
			err = errCutShort
		}
	}()
	for {
		if err := x.flush(w); err != nil {
			x.clientGone(err)
			return 0, err
		}
		if x.ended {
			return 0, nil
		}
		if err := x.advance(); err != nil {
			return 0, err
		}
	}
}

// advance fills the buffer with whatever is at hand, at least one event: what
// arrived together leaves together, and nothing waits for more.
func (x *exchange) advance() error {
	err := x.pull(x.g.opts.KeepAlive)
	for err == nil && !x.ended {
		err = x.pull(0)
		if errors.Is(err, upstream.ErrSilent) {
			return nil
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, upstream.ErrSilent):
		x.w.Comment()
		return nil
	}
	f := fault.From(err)
	if f.Kind == fault.Canceled {
		x.clientGone(f)
		return errCutShort
	}
	x.breakOff(f)
	return nil
}

// flush writes out the buffer.
func (x *exchange) flush(w io.Writer) error {
	buf := x.w.Buffer()
	if len(*buf) == 0 {
		return nil
	}
	if now := time.Now(); now.Sub(x.deadlineSet) > x.g.opts.Stall/16 { // not for every write
		x.deadlineSet = now
		if err := x.conn.SetWriteDeadline(now.Add(x.g.opts.Stall)); err != nil {
			return fmt.Errorf("set write deadline: %w", err)
		}
	}
	_, err := w.Write(*buf)
	*buf = (*buf)[:0]
	return err
}

// breakOff ends a stream that has begun with an error event.
func (x *exchange) breakOff(f *fault.Error) {
	x.logFault(f)
	p := x.problem(f)
	if !x.begun {
		x.begun = true
		x.w.Begin(x.head())
	}
	x.settle(endOf(f), 200, f)
	x.w.Fail(p)
	x.ended = true
}

// clientGone settles what was used up to now.
func (x *exchange) clientGone(err error) {
	x.cancel.Fire()
	f := &fault.Error{Kind: fault.Canceled, Message: "The client left", Err: err}
	x.run.Abandon(f)
	x.settle(wire.EndClientGone, 499, f)
}

// Close implements io.Closer: fasthttp calls it when the body is done with.
func (x *exchange) Close() error {
	_ = x.conn.SetWriteDeadline(time.Time{}) // a connection that is gone has none
	x.g.recycle(x)
	return nil
}
