package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/auth"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// handle routes a request and survives whatever goes wrong in it.
func (g *Gateway) handle(ctx *fasthttp.RequestCtx) {
	defer func() {
		if r := recover(); r != nil {
			g.panicked(r)
			ctx.Response.Reset()
			g.refuse(ctx, problem.New(500, "server", "Internal server error"))
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

type endpoint struct {
	method  string
	handler fasthttp.RequestHandler
}

// find maps a path to what serves it.
func (g *Gateway) find(path string) endpoint {
	switch path {
	case "/v1/chat/completions", "/completion":
		return endpoint{fasthttp.MethodPost, g.chat}
	case "/v1/completions":
		return endpoint{fasthttp.MethodPost, g.completions}
	case "/v1/messages", "/anthropic/v1/messages":
		return endpoint{fasthttp.MethodPost, g.messages}
	case "/v1/embeddings":
		return endpoint{fasthttp.MethodPost, g.embeddings}
	case "/health":
		return endpoint{fasthttp.MethodGet, g.health}
	case "/health/ready":
		return endpoint{fasthttp.MethodGet, g.ready}
	case "/routing":
		return endpoint{fasthttp.MethodGet, g.routing}
	case "/":
		return endpoint{fasthttp.MethodGet, g.index}
	}
	if answer := g.pages(path); answer != nil {
		return endpoint{fasthttp.MethodGet, func(ctx *fasthttp.RequestCtx) { g.page(ctx, answer) }}
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

// authenticate finds the key of the request.
func (x *exchange) authenticate() *problem.Problem {
	h := &x.ctx.Request.Header
	key, reason := x.g.auth.Check(x.snap.Keys, h.Peek("Authorization"), h.Peek("X-API-Key"))
	switch reason {
	case auth.Missing:
		return problem.New(401, "authentication", "No API key was given. Send 'Authorization: Bearer <key>' or 'X-API-Key: <key>'")
	case auth.Invalid:
		return problem.New(401, "authentication", "The API key is invalid, revoked or expired")
	case auth.OK:
	}
	x.key = key
	return nil
}

// setCommon sets the status and the headers that every answer has.
func (g *Gateway) setCommon(ctx *fasthttp.RequestCtx, status int, contentType string) {
	ctx.SetStatusCode(status)
	h := &ctx.Response.Header
	if contentType != "" {
		h.SetContentType(contentType)
	}
	id := ctx.Request.Header.Peek("X-Request-Id")
	if !isRequestID(id) {
		var buf [24]byte
		id = appendRandom(buf[:0], 24)
	}
	h.SetBytesV("X-Request-Id", id)
	if g.draining.Load() {
		ctx.SetConnectionClose() // the next request of this client goes elsewhere
	}
	g.cors(ctx)
}

// isRequestID accepts what may be echoed and logged without thought.
func isRequestID(id []byte) bool {
	if len(id) == 0 || len(id) > 128 {
		return false
	}
	for _, ch := range id {
		if ch <= ' ' || ch > '~' {
			return false
		}
	}
	return true
}

// setHeaders sets the headers of a generation.
func (x *exchange) setHeaders(status int, contentType string) {
	x.g.setCommon(x.ctx, status, contentType)
	h := &x.ctx.Response.Header
	h.Set("X-Generation-Id", x.id)
	if dropped := x.run.Dropped(); dropped != 0 {
		h.Set("X-Gateway-Dropped-Params", strings.Join(dropped.Names(), ", "))
	}
}

// cors answers the browser: any origin without credentials, or the configured
// ones with them.
func (g *Gateway) cors(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	if len(g.opts.Origins) == 0 {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Add("Vary", "Origin")
		origin := string(ctx.Request.Header.Peek("Origin"))
		for _, allowed := range g.opts.Origins {
			if origin == allowed {
				h.Set("Access-Control-Allow-Origin", origin)
				h.Set("Access-Control-Allow-Credentials", "true")
			}
		}
	}
	h.Set("Access-Control-Expose-Headers", "X-Generation-Id, X-Request-Id, Retry-After")
	if ctx.IsOptions() {
		h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "*, Authorization, Content-Type, X-API-Key")
		h.Set("Access-Control-Max-Age", "86400")
	}
}

// clientIP is the peer's address, or what a trusted proxy says of it.
func (g *Gateway) clientIP(ctx *fasthttp.RequestCtx) string {
	peer, ok := netip.AddrFromSlice(ctx.RemoteIP())
	if !ok {
		return ""
	}
	peer = peer.Unmap()
	if !g.trusts(peer) {
		return peer.String()
	}
	hops := strings.Split(string(ctx.Request.Header.Peek("X-Forwarded-For")), ",")
	for i, hop := range slices.Backward(hops) { // the nearest that is not a proxy of ours
		if addr, err := netip.ParseAddr(strings.TrimSpace(hop)); err == nil && (!g.trusts(addr) || i == 0) {
			return addr.String()
		}
	}
	if addr, err := netip.ParseAddr(string(ctx.Request.Header.Peek("X-Real-IP"))); err == nil {
		return addr.String()
	}
	return peer.String()
}

func (g *Gateway) trusts(addr netip.Addr) bool {
	for _, p := range g.opts.TrustProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
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
