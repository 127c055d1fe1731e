package gateway

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/wire"
)

// observe adds the exchange to the metrics, at its end.
func (x *exchange) observe() {
	r := x.generator
	if r.gateway.debugged {
		x.debug()
	}
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
	if u.End == wire.EndClientGone {
		m.Aborted()
	}
	var team *metrics.Team
	if x.caller.key != nil {
		team = x.caller.key.Metrics
	}
	team.Answered(status)
	x.sendSpans(status)
	for _, made := range x.attempt.run.Attempts() {
		if c := x.attempt.candidate(made.Endpoint); c.Endpoint != nil {
			c.Endpoint.Metrics.Attempted(made.Kind)
		}
	}
	if waited := x.attempt.run.Queued(); waited > 0 {
		m.Queued(waited)
	}
	if asked, won, _ := x.attempt.run.Hedged(); asked {
		m.Hedged(won, x.account.hedgedCost)
	}
	if u.Endpoint != "" {
		m.Used(u, x.account.cost)
		team.Used(u, x.account.cost)
		m.Gaps(&x.reply.gaps)
	}
}

// logRefusal logs a request that was refused before it had a key and so has no
// row: the first 60 of a minute, which bounds what a stranger can write here.
func (g *Gateway) logRefusal(ctx *fasthttp.RequestCtx, p *problem.Problem) {
	if !g.early.Note(time.Now()) {
		return
	}
	g.opts.Log.LogAttrs(context.Background(), slog.LevelInfo, "request refused", //nolint:forbidigo // no context in fasthttp
		slog.String("request_id", string(ctx.Response.Header.Peek("X-Request-Id"))), slog.String("client_ip", clientIP(ctx, g.books.proxies)),
		slog.String("path", excerptOf(view(ctx.Path()))), slog.Int("status", p.Status), slog.String("reason", excerptOf(p.Message)))
}

// excerptOf returns as much of a client's text as a log line should have.
func excerptOf(text string) string {
	const longest = 160
	return strings.ToValidUTF8(text[:min(len(text), longest)], "")
}

// refused counts a request that the gateway itself refuses.
func (g *Gateway) refused(p *problem.Problem) {
	limit, holder := "", ""
	if p.Limit != nil {
		limit, holder = p.Limit.Name, p.Limit.Holder
	}
	g.opts.Metrics.Refused(p.Type, limit, holder)
}
