package gateway

import "github.com/hybridinference/gateway/dataplane/problem"

// observe adds the exchange to the metrics, at its end.
func (x *exchange) observe() {
	r := x.generator
	m := r.gateway.opts.Metrics.Unknown()
	if planned := x.attempt.model(); planned != nil {
		m = planned.Metrics
	}
	u := &x.account.usage
	status := u.Status
	switch {
	case x.broken:
		status = 500
	case status == 0: // there is no usage event, and no stream
		status = x.caller.ctx.Response.StatusCode()
	}
	m.Answered(r.surface, status)
	for _, made := range x.attempt.run.Attempts() {
		if c := x.attempt.candidate(made.Endpoint); c.Endpoint != nil {
			c.Endpoint.Metrics.Attempted(made.Kind)
		}
	}
	if u.Endpoint != "" {
		m.Used(u, x.account.cost)
		m.Gaps(&x.reply.gaps)
	}
}

// refused counts a request that the gateway itself refuses.
func (g *Gateway) refused(p *problem.Problem) {
	limit, holder := "", ""
	if p.Limit != nil {
		limit, holder = p.Limit.Name, p.Limit.Holder
	}
	g.opts.Metrics.Refused(p.Type, limit, holder)
}
