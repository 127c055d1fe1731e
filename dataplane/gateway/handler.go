package gateway

import (
	"errors"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/messages"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/relay"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// chat answers POST chat/completions.
func (g *Gateway) chat(ctx *fasthttp.RequestCtx) { g.complete(ctx, surfaceChat) }

// completions answers POST completions, the API from before chats.
func (g *Gateway) completions(ctx *fasthttp.RequestCtx) { g.complete(ctx, surfaceCompletions) }

// messages answers POST messages, Anthropic's API.
func (g *Gateway) messages(ctx *fasthttp.RequestCtx) { g.complete(ctx, surfaceMessages) }

// complete answers a generation. This page is a request's whole way: auth,
// parse, plan, dispatch, relay, meter.
func (g *Gateway) complete(ctx *fasthttp.RequestCtx, s surface) {
	if !g.admit(ctx, s) {
		return
	}
	x := g.begin(ctx, s)
	defer x.rescue()
	if p := x.authenticate(); p != nil {
		g.refuseAs(ctx, p, s, "")
		g.recycle(x)
		return
	}
	if p := x.prepare(); p != nil {
		x.reject(p)
		g.recycle(x)
		return
	}
	x.start()
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
	x.messages.Reset()
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
			x.gather(&events[i])
			done = done || events[i].Done
		}
		if done {
			break
		}
	}
	total := x.settle(wire.EndComplete, 200, nil)
	x.setHeaders(200, "application/json")
	x.ctx.Response.SetBody(x.render(total))
}

// gather takes in an event of an answer that is not streamed.
func (x *exchange) gather(ev *chat.Event) {
	switch x.surface {
	case surfaceMessages:
		x.messages.Gather(ev)
	case surfaceChat, surfaceCompletions:
		x.answer.Event(ev)
	case surfaceEmbeddings: // its decoder has kept what counts
	}
}

// render writes the whole answer in the surface's language.
func (x *exchange) render(total *relay.Total) []byte {
	switch x.surface {
	case surfaceMessages:
		x.out = x.messages.Append(x.out[:0], x.head(), total)
	case surfaceEmbeddings: // written by its decoder
	case surfaceChat, surfaceCompletions:
		x.out = x.answer.Append(x.out[:0], x.head(), total, x.view)
	}
	return x.out
}

// stream sends the head of the answer with its first content, so that until
// then a failure can still be an error status or another endpoint's answer.
func (x *exchange) stream() {
	x.open()
	for len(*x.w.Buffer()) == 0 {
		err := x.pull(x.g.opts.KeepAlive)
		switch {
		case errors.Is(err, upstream.ErrSilent):
			x.w.Comment() // a long silence: commit, and keep the client waiting
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
			x.w.Begin(x.head())
		}
		if x.begun {
			x.w.Event(ev)
		}
		if ev.Done {
			x.w.End(x.settle(wire.EndComplete, 200, nil))
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
	x.g.refuseAs(x.ctx, p, x.surface, x.id)
}

// reject answers a request that passed authentication and no endpoint saw.
func (x *exchange) reject(p *problem.Problem) {
	x.usage.Error = p.Message
	x.settle(wire.EndRejected, p.Status, nil)
	x.g.refuseAs(x.ctx, x.explained(p), x.surface, x.id)
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
func (g *Gateway) refuse(ctx *fasthttp.RequestCtx, p *problem.Problem) {
	g.refuseAs(ctx, p, surfaceChat, "")
}

func (g *Gateway) refuseAs(ctx *fasthttp.RequestCtx, p *problem.Problem, s surface, generation string) {
	g.setCommon(ctx, p.Status, "application/json")
	if generation != "" {
		ctx.Response.Header.Set("X-Generation-Id", generation)
	}
	if s := p.Seconds(); s > 0 && (p.Status == 429 || p.Status == 503 || p.Status == 529) {
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(s))
	}
	p.RequestID = string(ctx.Response.Header.Peek("X-Request-Id"))
	if s == surfaceMessages {
		ctx.Response.SetBody(messages.AppendError(nil, p.Status, p.Message, p.RequestID))
		return
	}
	ctx.Response.SetBody(p.Append(nil))
}
