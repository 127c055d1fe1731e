package gateway

import (
	"errors"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// chat answers POST chat/completions.
func (g *Gateway) chat(ctx *fasthttp.RequestCtx) { g.complete(ctx, surfaceChat) }

// completions answers POST completions, the API from before chats.
func (g *Gateway) completions(ctx *fasthttp.RequestCtx) { g.complete(ctx, surfaceCompletions) }

// complete answers a generation. This page is a request's whole way: auth,
// parse, plan, dispatch, relay, meter.
func (g *Gateway) complete(ctx *fasthttp.RequestCtx, s surface) {
	x := g.begin(ctx, s)
	if p := x.authenticate(); p != nil {
		g.refuse(ctx, p)
		g.recycle(x)
		return
	}
	if p := x.prepare(); p != nil {
		x.reject(p)
		g.recycle(x)
		return
	}
	x.run.Start(&x.req, x.plan.Candidates(), &x.cancel)
	if x.req.Stream {
		x.stream()
		return
	}
	x.answerWhole()
	g.recycle(x)
}

// prepare parses the body and plans where the request may go.
func (x *exchange) prepare() *problem.Problem {
	if err := x.parse(); err != nil {
		return problem.Of(fault.From(err), "")
	}
	return x.choose()
}

// answerWhole waits for the complete answer and sends it in one piece.
func (x *exchange) answerWhole() {
	x.answer.Reset()
	for {
		events, err := x.wait()
		if errors.Is(err, upstream.ErrSilent) {
			continue // nothing can be sent before the answer is known
		}
		if err != nil {
			x.fail(fault.From(err))
			return
		}
		done := false
		for i := range events {
			x.note(&events[i])
			x.answer.Event(&events[i])
			done = done || events[i].Done
		}
		if done {
			break
		}
	}
	total := x.settle(wire.EndComplete, 200, nil)
	x.setHeaders(200, "application/json")
	x.out = x.answer.Append(x.out[:0], x.head(), total, x.view)
	x.ctx.Response.SetBody(x.out)
}

// stream sends the head of the answer with its first content, so that until
// then a failure can still be an error status or another endpoint's answer.
func (x *exchange) stream() {
	x.chunks.Reset(x.view)
	for len(x.chunks.Buf) == 0 {
		err := x.pull(x.g.opts.KeepAlive)
		switch {
		case errors.Is(err, upstream.ErrSilent):
			x.chunks.Comment() // a long silence: commit, and keep the client waiting
		case err != nil:
			x.fail(fault.From(err))
			x.g.recycle(x)
			return
		}
		if x.ended {
			break
		}
	}
	x.setHeaders(200, "text/event-stream")
	h := &x.ctx.Response.Header
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	x.conn = x.ctx.Conn()
	x.ctx.Response.ImmediateHeaderFlush = false
	x.ctx.Response.SetBodyStream(x, -1)
}

// pull takes the next events into the chunk buffer. ended is set with the last.
func (x *exchange) pull(wait time.Duration) error {
	events, err := x.next(wait)
	if err != nil {
		return err
	}
	for i := range events {
		ev := &events[i]
		x.note(ev)
		if !x.begun && (ev.HasContent() || ev.Finish != 0 || ev.Done) {
			x.begun = true
			x.chunks.Begin(x.head())
		}
		if x.begun {
			x.chunks.Event(ev)
		}
		if ev.Done {
			x.chunks.End(x.settle(wire.EndComplete, 200, nil))
			x.ended = true
		}
	}
	return nil
}

// fail answers with a fault, before anything was sent.
func (x *exchange) fail(f *fault.Error) {
	p := x.problem(f)
	x.settle(endOf(f), p.Status, f)
	x.logFault(f)
	x.g.refuseAs(x.ctx, p, x.id)
}

// reject answers a request that passed authentication and no endpoint saw.
func (x *exchange) reject(p *problem.Problem) {
	x.usage.Error = p.Message
	x.settle(wire.EndRejected, p.Status, nil)
	x.g.refuseAs(x.ctx, x.explained(p), x.id)
}

func endOf(f *fault.Error) string {
	switch f.Kind {
	case fault.Canceled:
		return wire.EndClientGone
	case fault.Timeout:
		return wire.EndTimeout
	case fault.InvalidRequest, fault.ContextLength, fault.ContentFilter:
		return wire.EndRejected
	default:
		return wire.EndUpstreamError
	}
}

// refuse answers with a problem.
func (g *Gateway) refuse(ctx *fasthttp.RequestCtx, p *problem.Problem) { g.refuseAs(ctx, p, "") }

func (g *Gateway) refuseAs(ctx *fasthttp.RequestCtx, p *problem.Problem, generation string) {
	g.setCommon(ctx, p.Status, "application/json")
	if generation != "" {
		ctx.Response.Header.Set("X-Generation-Id", generation)
	}
	if s := p.Seconds(); s > 0 && (p.Status == 429 || p.Status == 503 || p.Status == 529) {
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(s))
	}
	p.RequestID = string(ctx.Response.Header.Peek("X-Request-Id"))
	ctx.Response.SetBody(p.Append(nil))
}
