package gateway

import (
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
)

// generator answers the requests of one client language.
type generator struct {
	gateway *Gateway
	lang    *api.Language
	surface metrics.Surface
	idle    sync.Pool // of *exchange
}

// answer is the path of a request: authenticate, receive, parse, plan, admit,
// dispatch, reply.
func (r *generator) answer(ctx *fasthttp.RequestCtx) {
	g := r.gateway
	if g.inFlight.Load() >= g.opts.MaxInFlight {
		g.turnAway(ctx, r.lang, g.atCapacity())
		g.opts.Metrics.Unknown().Answered(r.surface, ctx.Response.StatusCode())
		return
	}
	x := r.begin(ctx)
	defer x.done()
	if p := x.caller.authenticate(g.auth); p != nil {
		g.turnAway(ctx, r.lang, p)
		return
	}
	var p *problem.Problem
	if x.body, p = g.receive(ctx, x.body, &x.room); p != nil {
		g.turnAway(ctx, r.lang, p)
		return
	}
	if p := x.prepare(x.body); p != nil {
		if !x.countsAnyway(p) {
			x.reject(p)
			return
		}
		x.countHere(&g.tokens)
		return
	}
	if r.lang.Count != nil && x.count(&g.tokens) {
		return
	}
	if p := x.admission.admit(); p != nil {
		g.refused(p)
		x.reply.overLimit(p)
		return
	}
	x.attempt.start(g.policy, dispatch.Limits{Registry: g.opts.Limits, Clock: g.opts.LimitsClock}, x.admission.endpoints(), x.attempt.mayHedge(x.body))
	if !x.translator.Streamed() {
		x.reply.unary()
		return
	}
	if x.reply.open() {
		x.send()
	}
}

// prepare parses the body and plans where the request may go.
func (x *exchange) prepare(body []byte) *problem.Problem {
	if err := x.translator.Parse(body, &x.caller.headers); err != nil {
		return problem.Of(fault.From(err), "")
	}
	return x.attempt.choose()
}

// reject answers a request that passed authentication and no endpoint saw.
func (x *exchange) reject(p *problem.Problem) {
	x.generator.gateway.refused(p)
	x.reply.reject(p)
}

// turnAway refuses a request whose body has not been read.
func (g *Gateway) turnAway(ctx *fasthttp.RequestCtx, lang *api.Language, p *problem.Problem) {
	g.refused(p)
	g.refuseIn(ctx, lang, p)
	g.logRefusal(ctx, p)
	dismiss(ctx)
}

// atCapacity refuses a request at once when the node has as many as it may have,
// or as many bytes of them: waiting here would only make it worse.
func (g *Gateway) atCapacity() *problem.Problem {
	g.shed.Add(1)
	p := problem.New(503, "provider_overloaded", "This node is at capacity")
	p.RetryAfter = time.Second
	return p
}

// enter counts a request until leave.
func (g *Gateway) enter() {
	g.inFlight.Add(1)
	g.requests.Add(1)
}

func (g *Gateway) leave() { g.inFlight.Add(-1) }
