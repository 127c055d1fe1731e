package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/completions"
	"github.com/hybridinference/gateway/dataplane/api/embeddings"
	"github.com/hybridinference/gateway/dataplane/api/messages"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// handle routes a request and survives whatever goes wrong in it.
func (g *Gateway) handle(ctx *fasthttp.RequestCtx) {
	defer func() {
		if r := recover(); r != nil {
			g.panicked(r)
			ctx.Response.Reset()
			g.refuse(ctx, internalError())
			ctx.SetConnectionClose()
		}
	}()
	path := pathOf(ctx)
	if strings.HasPrefix(path, "/admin/") && g.admin != nil {
		g.admin(ctx)
		return
	}
	if ctx.IsOptions() {
		g.setCommon(ctx, fasthttp.StatusNoContent, "")
		return
	}
	r := g.find(path)
	switch {
	case r.handler == nil:
		g.refuse(ctx, problem.New(404, "not_found", "No such path: "+path))
	case string(ctx.Method()) != r.method && (r.method != fasthttp.MethodGet || !ctx.IsHead()):
		g.setCommon(ctx, 405, "application/json")
		ctx.Response.Header.Set("Allow", r.method+", OPTIONS")
		ctx.Response.SetBody(problem.New(405, "invalid_request", path+" takes "+r.method+" only").Append(nil))
	default:
		r.handler(ctx)
	}
}

// endpoint is what serves a path.
type endpoint struct {
	method string
	// generator is the client language of the path, nil for a page.
	generator *generator
	handler   fasthttp.RequestHandler
}

// table makes the route table. Paths below /v1/models name a model and are found
// by pages.
func (g *Gateway) table() map[string]endpoint {
	chat := g.generates(completions.Chat())
	anthropic := g.generates(messages.Language())
	return map[string]endpoint{
		"/v1/chat/completions":   chat,
		"/completion":            chat,
		"/v1/completions":        g.generates(completions.Legacy()),
		"/v1/messages":           anthropic,
		"/anthropic/v1/messages": anthropic,
		"/v1/embeddings":         g.generates(embeddings.Language()),
		"/health":                {fasthttp.MethodGet, nil, g.health},
		"/health/ready":          {fasthttp.MethodGet, nil, g.ready},
		"/routing":               {fasthttp.MethodGet, nil, g.routing},
		"/":                      {fasthttp.MethodGet, nil, g.index},
	}
}

func (g *Gateway) generates(lang *api.Language) endpoint {
	r := &generator{gateway: g, lang: lang}
	return endpoint{fasthttp.MethodPost, r, r.answer}
}

// find maps a path to what serves it.
func (g *Gateway) find(path string) endpoint {
	if e, ok := g.routes[path]; ok {
		return e
	}
	if answer := g.pages(path); answer != nil {
		return endpoint{fasthttp.MethodGet, nil, func(ctx *fasthttp.RequestCtx) { g.page(ctx, answer) }}
	}
	return endpoint{}
}

// pathOf returns the path without a trailing slash and with /api/v1 as /v1.
func pathOf(ctx *fasthttp.RequestCtx) string {
	path := view(ctx.Path())
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	if rest, ok := strings.CutPrefix(path, "/api/v1/"); ok {
		return "/v1/" + rest
	}
	return path
}

// badRequest answers what fasthttp could not read as a request.
func (g *Gateway) badRequest(ctx *fasthttp.RequestCtx, err error) {
	p := problem.New(400, "invalid_request", "The request is not valid HTTP")
	var small *fasthttp.ErrSmallBuffer
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p = problem.New(413, "payload_too_large", fmt.Sprintf("The request body is larger than %d bytes", g.opts.MaxBody))
	case errors.As(err, &small):
		p = problem.New(431, "invalid_request", "The request's headers are too large")
	case errors.As(err, &timeout) && timeout.Timeout():
		p = problem.New(408, "timeout", "The request did not arrive in time")
	}
	g.refuse(ctx, p)
	ctx.SetConnectionClose()
}

func (g *Gateway) panicked(reason any) {
	g.panics.Add(1)
	g.opts.Log.LogAttrs(context.Background(), slog.LevelError, "panic in a request", //nolint:forbidigo // no context in fasthttp
		slog.Any("reason", reason), slog.String("stack", string(debug.Stack())))
}
