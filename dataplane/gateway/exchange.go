package gateway

import (
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/trace"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// exchange is one request for a generation and its answer. It is three things
// that end by themselves, each for one reason: the attempt has the endpoint, the
// account the usage event, and the reply what the client gets. An exchange is
// used again with its memory.
type exchange struct {
	generator  *generator
	translator api.Translator
	caller     caller
	body       []byte
	room       reservation // of the body
	parent     trace.Memory

	admission admission
	attempt   attempt
	account   account
	reply     reply
	copies    copies

	streaming bool // the connection writes the body, and ends the exchange
	broken    bool // by a panic: it is not used again
}

func newExchange(r *generator) *exchange {
	g := r.gateway
	x := &exchange{generator: r, translator: r.lang.New(), room: reservation{gateway: g}}
	req := x.translator.Request()
	x.attempt = attempt{watcher: &g.watcher, caller: &x.caller, lang: r.lang, translator: x.translator, req: req}
	x.admission = admission{registry: g.opts.Limits, clock: g.opts.LimitsClock, caller: &x.caller, attempt: &x.attempt, req: req}
	x.account = account{admission: &x.admission, books: &g.books, caller: &x.caller, lang: r.lang, translator: x.translator, req: req, attempt: &x.attempt}
	x.reply = reply{
		responder: &g.responder, opts: &g.opts, lang: r.lang, translator: x.translator, caller: &x.caller, attempt: &x.attempt, account: &x.account, copies: &x.copies,
	}
	x.copies.exchange = x
	return x
}

// begin counts a request and takes an exchange for it. The caller defers done.
func (r *generator) begin(ctx *fasthttp.RequestCtx) *exchange {
	x, ok := r.idle.Get().(*exchange)
	if !ok {
		x = newExchange(r)
	}
	r.gateway.enter()
	h := headersOf(ctx)
	x.caller = caller{ctx: ctx, headers: h, snap: r.gateway.current.Load(), started: time.Now(), trace: trace.Begin(r.gateway.opts.Tracing, &x.parent, h.Peek("Traceparent"), h.Peek("Tracestate"))}
	x.account.id = newGenerationID(x.caller.started)
	return x
}

// done ends the exchange, unless the connection has to write a stream first. A
// panic is accounted for and goes on to the handler, which answers.
func (x *exchange) done() {
	r := recover()
	if r != nil {
		x.fail()
		panic(r)
	}
	if !x.streaming {
		x.end()
	}
}

// fail ends an exchange that has panicked.
func (x *exchange) fail() {
	x.broken = true
	defer x.end()
	if x.caller.key != nil {
		x.account.settle(wire.EndUpstreamError, 500, internalFault())
	}
}

func internalFault() *fault.Error { return fault.New(fault.Unavailable, "Internal server error") }

// end ends the three parts, whatever state they are in, and gives the exchange
// back to be used again.
func (x *exchange) end() {
	defer x.generator.gateway.leave()
	if x.streaming {
		x.generator.gateway.streams.Add(-1)
	}
	x.observe()
	if !x.copies.end() {
		x.body = nil
	}
	x.recycle()
}

// recycle ends the parts and lets the exchange be used again, unless it is broken.
func (x *exchange) recycle() {
	x.stop()
	if x.broken {
		return
	}
	x.account.reset()
	x.reply.reset()
	x.translator.Reset()
	x.caller, x.body, x.streaming = caller{}, api.Bounded(x.body), false
	x.generator.idle.Put(x)
}

// stop gives everything back that others wait for: the exchange is another
// request's as soon as it is idle.
func (x *exchange) stop() {
	defer x.room.release()
	defer x.admission.end()
	x.attempt.end()
}

// send has the connection write the stream, and end the exchange afterwards.
func (x *exchange) send() {
	x.streaming = true
	x.generator.gateway.streams.Add(1)
	ctx := x.caller.ctx
	if ctx.Request.Header.IsHTTP11() {
		ctx.Response.SetBodyStream(x, -1)
		return
	}
	// A client of HTTP/1.0 knows no chunks: its body ends with the connection.
	ctx.Response.Header.SetContentLength(-2)
	ctx.Response.Header.SetConnectionClose()
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(conn net.Conn) {
		defer func() { _ = x.Close() }() // it never fails
		if _, err := conn.Write(ctx.Response.Header.Header()); err != nil {
			x.reply.clientGone(err)
			return
		}
		_, _ = x.WriteTo(conn) // what can be said of its error has been accounted for
	})
}

// SupportsBodyWriteTo implements fasthttp.BodyWriterTo.
func (x *exchange) SupportsBodyWriteTo() bool { return true }

// Read implements io.Reader, which fasthttp asks for and does not use.
func (x *exchange) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// WriteTo implements fasthttp.BodyWriterTo. It runs on the connection's own
// goroutine: an error return leaves out the final chunk.
func (x *exchange) WriteTo(w io.Writer) (n int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			x.generator.gateway.panicked(r)
			x.broken, err = true, errCutShort
			x.account.settle(wire.EndUpstreamError, 200, internalFault()) // the status has been sent
		}
	}()
	return 0, x.reply.writeTo(w)
}

// Close implements io.Closer: fasthttp calls it when the body is done with.
func (x *exchange) Close() error {
	x.end()
	return nil
}
