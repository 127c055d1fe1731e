package gateway

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/completions"
	"github.com/hybridinference/gateway/dataplane/api/documents"
	"github.com/hybridinference/gateway/dataplane/api/embeddings"
	"github.com/hybridinference/gateway/dataplane/api/messages"
	"github.com/hybridinference/gateway/dataplane/api/responses"
	"github.com/hybridinference/gateway/dataplane/api/transcriptions"
	"github.com/hybridinference/gateway/dataplane/auth"
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
	if p := refused(&ctx.Request.Header); p != nil {
		g.refuse(ctx, p)
		g.logRefusal(ctx, p)
		ctx.SetConnectionClose()
		return
	}
	path := pathOf(ctx)
	if g.admin != nil && (isAdmin(path) || g.isManagement(ctx, path)) {
		g.administer(ctx)
		return
	}
	r := g.find(path)
	if p := g.browsers.admit(ctx); p != nil {
		g.turnAway(ctx, r.language(), p)
		return
	}
	if r.generator == nil {
		defer dismiss(ctx)
	}
	switch {
	case ctx.IsOptions():
		g.setCommon(ctx, fasthttp.StatusNoContent, "")
	case r.handler == nil:
		p := problem.New(404, "not_found", "No such path: "+path+g.suggestion(path))
		g.refuseIn(ctx, g.errorLanguage(path), p)
		g.logRefusal(ctx, p)
	case string(ctx.Method()) != r.method && (r.method != fasthttp.MethodGet || !ctx.IsHead()):
		p := problem.New(405, "invalid_request", path+" takes "+r.method+" only")
		g.refuseIn(ctx, g.errorLanguage(path), p)
		g.logRefusal(ctx, p)
		ctx.Response.Header.Set("Allow", r.method+", OPTIONS")
	default:
		r.handler(ctx)
	}
}

// isManagement reports requests for OpenRouter's management API, which is the
// control plane's: management keys are unknown to nodes.
func (g *Gateway) isManagement(ctx *fasthttp.RequestCtx, path string) bool {
	if path != "/v1/credits" {
		return isManagementPath(path)
	}
	h := &ctx.Request.Header
	_, why := g.auth.Check(g.current.Load().Keys, h.Peek("Authorization"), h.Peek("X-API-Key"))
	return why == auth.Invalid
}

func isManagementPath(path string) bool {
	return path == "/v1/keys" || strings.HasPrefix(path, "/v1/keys/") || path == "/v1/activity"
}

// suggestion names the path that was probably meant: one of ours behind another
// prefix, or without the version.
func (g *Gateway) suggestion(path string) string {
	if isManagementPath(path) {
		return "; the control plane serves it under /api/v1, for management keys: send it to CONTROL_PORT of the daemon"
	}
	best := ""
	for known, e := range g.routes {
		name, ok := strings.CutPrefix(known, "/v1/")
		if !ok || e.method != fasthttp.MethodPost || !endsLike("/"+strings.Trim(path, "/"), "/"+name) {
			continue
		}
		if len(known) > len(best) { // chat/completions before completions
			best = known
		}
	}
	if best == "" {
		return ""
	}
	return ". Did you mean POST " + best + "?"
}

// endsLike reports whether a path ends in a name, or in one that differs from it
// by a letter that is missing, another or one too many.
func endsLike(path, name string) bool {
	if strings.HasSuffix(path, name) {
		return true
	}
	for size := len(name) - 1; size <= len(name)+1 && size <= len(path); size++ {
		if end := path[len(path)-size:]; end[0] == '/' && oneApart(end, name) {
			return true
		}
	}
	return false
}

// oneApart reports whether two texts, of which neither is empty, are the same
// but for one letter.
func oneApart(a, b string) bool {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	switch len(a) - len(b) {
	case -1:
		return a[i:] == b[i+1:]
	case 0:
		return i == len(a) || a[i+1:] == b[i+1:]
	case 1:
		return a[i+1:] == b[i:]
	}
	return false
}

// errorLanguage returns the language whose errors the clients of a path read:
// that of the path, or of the closest one above it. nil is OpenRouter's form.
func (g *Gateway) errorLanguage(path string) *api.Language {
	for path != "" {
		if e := g.find(path); e.handler != nil {
			return e.language()
		}
		path = path[:max(strings.LastIndexByte(path, '/'), 0)]
	}
	return nil
}

// refused says why a request cannot be taken as it is framed, nil if it can.
func refused(h *fasthttp.RequestHeader) *problem.Problem {
	switch string(h.Protocol()) {
	case "HTTP/1.1", "HTTP/1.0":
	default:
		return badVersion()
	}
	if what := misframed(h); what != "" {
		return problem.New(400, "invalid_request", "The request is not valid HTTP: "+what)
	}
	return nil
}

func badVersion() *problem.Problem {
	return problem.New(505, "invalid_request", "This gateway speaks HTTP/1.0 and HTTP/1.1")
}

// isShort reports whether a body of n bytes may be a sign-in.
func isShort(n int) bool { return n >= 0 && n <= 4096 }

// isAdmin reports whether a path is the control plane's.
func isAdmin(path string) bool {
	return strings.HasPrefix(path, "/admin/") || path == "/console" || strings.HasPrefix(path, "/console/")
}

// administer hands a request to the control plane in this process, which asks
// for the token itself. Without any, only the body of a sign-in is worth reading.
func (g *Gateway) administer(ctx *fasthttp.RequestCtx) {
	room := reservation{gateway: g}
	defer room.release()
	h := &ctx.Request.Header
	if len(h.Peek("Authorization")) == 0 && len(h.Peek("Cookie")) == 0 && !ctx.RemoteIP().IsLoopback() && !isShort(h.ContentLength()) {
		dismiss(ctx)
		ctx.Request.ResetBody()
	} else {
		body, p := g.receive(ctx, nil, &room)
		if p != nil {
			g.refuse(ctx, p)
			dismiss(ctx)
			return
		}
		ctx.Request.SetBodyRaw(body)
		h.Del("Content-Encoding")
	}
	g.admin(ctx)
}

// endpoint is what serves a path.
type endpoint struct {
	method string
	// generator is the client language of the path, nil for a page.
	generator *generator
	handler   fasthttp.RequestHandler
}

// language is that of the path's errors.
func (e *endpoint) language() *api.Language {
	if e.generator == nil {
		return nil
	}
	return e.generator.lang
}

// table makes the route table. Paths below /v1/models name a model and are found
// by pages.
func (g *Gateway) table() map[string]endpoint {
	chat := g.generates("chat", completions.Chat())
	anthropic := g.generates("messages", messages.Language())
	counts := g.generates("count_tokens", messages.CountTokens())
	return map[string]endpoint{
		"/v1/chat/completions":   chat,
		"/completion":            chat,
		"/v1/completions":        g.generates("completions", completions.Legacy()),
		"/v1/messages":           anthropic,
		"/anthropic/v1/messages": anthropic,
		"/v1/responses":          g.generates("responses", responses.Language()),

		"/v1/messages/count_tokens":           counts,
		"/anthropic/v1/messages/count_tokens": counts,
		"/v1/responses/input_tokens":          g.generates("input_tokens", responses.InputTokens()),
		"/v1/responses/compact":               {fasthttp.MethodPost, nil, g.compact},

		"/v1/rerank":             g.generates("rerank", documents.Rerank()),
		"/v2/rerank":             g.generates("rerank", documents.Rerank()),
		"/v1/images/generations": g.generates("images", documents.Images()),

		"/v1/audio/transcriptions": g.generates("transcriptions", transcriptions.Language()),

		"/v1/embeddings": g.generates("embeddings", embeddings.Language()),
		"/health":        {fasthttp.MethodGet, nil, g.health},
		"/health/ready":  {fasthttp.MethodGet, nil, g.ready},
		"/routing":       {fasthttp.MethodGet, nil, g.routing},
		"/openapi.json":  {fasthttp.MethodGet, nil, g.openAPI},
		"/":              {fasthttp.MethodGet, nil, g.index},
	}
}

// generates serves a client language, whose name in the metrics is surface.
func (g *Gateway) generates(surface string, lang *api.Language) endpoint {
	r := &generator{gateway: g, lang: lang, surface: g.opts.Metrics.Surface(surface)}
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
	switch {
	case strings.Contains(err.Error(), "unsupported http version"): // the library has no type for it
		p = badVersion()
	case errors.As(err, &small):
		p = problem.New(431, "invalid_request", "The request's headers are too large")
	case isTimeout(err):
		p = problem.New(408, "timeout", "The request did not arrive in time")
	}
	g.refuse(ctx, p)
	g.logRefusal(ctx, p)
	ctx.SetConnectionClose()
}

func (g *Gateway) panicked(reason any) {
	g.panics.Add(1)
	g.opts.Log.LogAttrs(context.Background(), slog.LevelError, "panic in a request", //nolint:forbidigo // no context in fasthttp
		slog.Any("reason", reason), slog.String("stack", string(debug.Stack())))
}
