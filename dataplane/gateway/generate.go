package gateway

import (
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
)

// generator answers the requests of one client language.
type generator struct {
	gateway *Gateway
	lang    *api.Language
	idle    sync.Pool // of *exchange
}

// answer is a request's whole way: authenticate, parse, plan, dispatch, reply.
func (r *generator) answer(ctx *fasthttp.RequestCtx) {
	g := r.gateway
	if p := g.overload(len(ctx.Request.Body())); p != nil {
		g.refuseIn(ctx, r.lang, p)
		return
	}
	x := r.begin(ctx)
	defer x.done()
	if p := x.caller.authenticate(g.auth); p != nil {
		g.refuseIn(ctx, r.lang, p)
		return
	}
	if p := x.prepare(); p != nil {
		x.reply.reject(p)
		return
	}
	x.attempt.start(g.policy)
	if !x.translator.Streamed() {
		x.reply.unary()
		return
	}
	if x.reply.open() {
		x.streaming = true
		ctx.Response.SetBodyStream(x, -1)
	}
}

// prepare parses the body and plans where the request may go.
func (x *exchange) prepare() *problem.Problem {
	ctx := x.caller.ctx
	if err := x.translator.Parse(ctx.PostBody(), &ctx.Request.Header); err != nil {
		return problem.Of(fault.From(err), "")
	}
	return x.attempt.choose()
}

// overload refuses a request at once when the node has as many as it may have,
// or as many bytes of them: waiting here would only make it worse.
func (g *Gateway) overload(size int) *problem.Problem {
	if g.inFlight.Load() < g.opts.MaxInFlight && g.held.Load()+int64(size) <= g.opts.MaxHeld {
		return nil
	}
	g.shed.Add(1)
	p := problem.New(503, "provider_overloaded", "This node is at capacity")
	p.RetryAfter = time.Second
	return p
}

// enter counts a request, of which so many bytes are held, until leave.
func (g *Gateway) enter(held int64) {
	g.inFlight.Add(1)
	g.requests.Add(1)
	g.held.Add(held)
}

func (g *Gateway) leave(held int64) {
	g.inFlight.Add(-1)
	g.held.Add(-held)
}
