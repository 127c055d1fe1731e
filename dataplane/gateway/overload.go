package gateway

import (
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// admit refuses a request at once when the node has as many as it may have, or
// as many bytes of them. Whoever waited here would only make it worse.
func (g *Gateway) admit(ctx *fasthttp.RequestCtx, s surface) bool {
	size := int64(len(ctx.Request.Body()))
	if g.inFlight.Load() < g.opts.MaxInFlight && g.held.Load()+size <= g.opts.MaxHeld {
		return true
	}
	g.shed.Add(1)
	p := problem.New(503, "provider_overloaded", "This node has as many requests as it can take")
	p.RetryAfter = time.Second
	g.refuseAs(ctx, p, s, "")
	return false
}

// leave ends what begin has counted.
func (g *Gateway) leave(x *exchange) {
	g.inFlight.Add(-1)
	g.held.Add(-x.held)
}

// rescue accounts for a request that panics before its answer has begun, and
// lets the panic go on to the handler, which answers. The exchange is not used
// again: nobody knows what state it is in.
func (x *exchange) rescue() {
	r := recover()
	if r == nil {
		return
	}
	x.g.leave(x)
	if x.key != nil {
		x.settle(wire.EndUpstreamError, 500, internal())
	}
	panic(r)
}

func internal() *fault.Error { return fault.New(fault.Unavailable, "Internal server error") }
