package gateway

import (
	"math/rand/v2"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
)

// copies are the shadows of a request: which endpoints get a copy of it once its
// answer has begun. Of a model without shadows it costs a look at a list.
type copies struct {
	exchange  *exchange
	endpoints []*snapshot.Endpoint
	sent      bool // the body is the shadows', too
}

// draw decides who gets a copy, when the answer begins and before it is looked at.
func (c *copies) draw() {
	if at := c.exchange.attempt.run.Current(); at.Model != nil && len(at.Model.Shadows) > 0 {
		c.drawFrom(at)
	}
}

func (c *copies) drawFrom(at route.Candidate) {
	x := c.exchange
	for _, e := range at.Model.Shadows {
		// where a client does not want to be served its prompt does not go
		if rand.Float64() >= e.Shadow || e.ID == at.Endpoint.ID || x.attempt.constraints.Excludes(e) != 0 {
			continue
		}
		if why, ok := x.generator.gateway.shadows.room(x.generator.gateway, int64(len(x.body))); !ok {
			e.Metrics.ShadowDropped(why)
			continue
		}
		c.endpoints = append(c.endpoints, e)
		x.account.compared = true
	}
}

// send sends the copies, once a part of the answer is on its way to the client.
func (c *copies) send() {
	if len(c.endpoints) == 0 || c.sent {
		return
	}
	c.sent = true
	x := c.exchange
	for _, e := range c.endpoints {
		s := &shadow{
			generator: x.generator, candidate: route.Candidate{Model: x.attempt.run.Current().Model, Endpoint: e},
			of: x.account.id, requested: x.attempt.req.Model, snap: x.caller.snap, key: x.caller.key, ctx: headOf(x.caller.ctx), body: x.body,
		}
		go s.run()
	}
}

// headOf copies a request's head and where it came from.
func headOf(ctx *fasthttp.RequestCtx) *fasthttp.RequestCtx {
	out, req := new(fasthttp.RequestCtx), new(fasthttp.Request)
	ctx.Request.Header.CopyTo(&req.Header)
	out.Init(req, ctx.RemoteAddr(), quiet{})
	return out
}

// end gives back the room of copies that were not sent, and reports whether the
// body may be used again.
func (c *copies) end() (bodyFree bool) {
	bodyFree = !c.sent
	if !c.sent {
		for range c.endpoints {
			c.exchange.generator.gateway.shadows.leave(int64(len(c.exchange.body)))
		}
	}
	clear(c.endpoints)
	c.endpoints, c.sent = c.endpoints[:0], false
	return bodyFree
}
