package gateway

import (
	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/tokens"
	"github.com/hybridinference/gateway/shared/fault"
)

// count answers a request for the number of its tokens, unless the first
// endpoint of the plan counts itself.
func (x *exchange) count(c *tokens.Counter) bool {
	first := x.attempt.plan.Candidates()[0].Endpoint.Adapter
	if x.generator.lang.Count.Upstream(first) {
		return false
	}
	x.countHere(c)
	return true
}

// countsAnyway reports whether a request for the number of its tokens can be
// answered although none of the model's endpoints is in service right now.
func (x *exchange) countsAnyway(p *problem.Problem) bool {
	return x.generator.lang.Count != nil && len(x.attempt.targets) > 0 && (p.Status == 429 || p.Status == 503)
}

// countHere counts with the node's own tokenizer.
func (x *exchange) countHere(c *tokens.Counter) {
	n, err := c.Count(x.translator.Request())
	if err != nil {
		x.reply.reject(problem.Of(fault.New(fault.Internal, "%v", err), ""))
		return
	}
	x.reply.setHeaders(200, "application/json")
	x.caller.ctx.Response.SetBody(x.generator.lang.Count.Append(nil, n))
}

// compact refuses POST responses/compact: what it makes is only for the server
// that made it.
func (g *Gateway) compact(ctx *fasthttp.RequestCtx) {
	g.refuse(ctx, problem.New(501, "not_implemented", "The gateway does not compact responses: shorten the input, or use a client that does"))
}
