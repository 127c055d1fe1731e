package gateway

import (
	"encoding/json"
	"strconv"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// responder writes what all answers have in common.
type responder struct {
	browsers browsers
	draining atomic.Bool
}

// setCommon sets the status and the headers that every answer has.
func (r *responder) setCommon(ctx *fasthttp.RequestCtx, status int, contentType string) {
	ctx.SetStatusCode(status)
	h := &ctx.Response.Header
	if contentType != "" {
		h.SetContentType(contentType)
	}
	h.SetBytesV("X-Request-Id", requestID(ctx))
	if r.draining.Load() {
		ctx.SetConnectionClose() // the next request of this client goes elsewhere
	}
	r.browsers.cors(ctx)
}

// requestID is the X-Request-ID of the request, the client's or one of ours,
// which the request carries from then on.
func requestID(ctx *fasthttp.RequestCtx) []byte {
	h := &ctx.Request.Header
	if id := h.Peek("X-Request-Id"); isRequestID(id) {
		return id
	}
	var buf [24]byte
	h.SetBytesV("X-Request-Id", appendRandom(buf[:0], len(buf)))
	return h.Peek("X-Request-Id")
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

// refuse answers with a problem in OpenRouter's form.
func (r *responder) refuse(ctx *fasthttp.RequestCtx, p *problem.Problem) { r.refuseIn(ctx, nil, p) }

// refuseIn answers with a problem in the form of a client language, OpenRouter's
// if it is nil.
func (r *responder) refuseIn(ctx *fasthttp.RequestCtx, lang *api.Language, p *problem.Problem) {
	r.setCommon(ctx, p.Status, "application/json")
	if s := p.Seconds(); s > 0 && (p.Status == 429 || p.Status == 503 || p.Status == 529) {
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(s))
	}
	if l := p.Limit; l != nil && p.Status == 429 {
		h := &ctx.Response.Header
		h.Set("X-RateLimit-Limit", l.Value)
		h.Set("X-RateLimit-Remaining", l.Left)
		if !l.Reset.IsZero() {
			h.Set("X-RateLimit-Reset", strconv.FormatInt(l.Reset.UnixMilli(), 10))
		}
	}
	switch p.Status {
	case 400, 401, 402, 403, 404, 405, 413, 415, 422: // the same request would fail again
		ctx.Response.Header.Set("X-Should-Retry", "false")
	case 429, 503, 529:
		ctx.Response.Header.Set("X-Should-Retry", "true")
	}
	p.RequestID = string(ctx.Response.Header.Peek("X-Request-Id"))
	if lang == nil {
		ctx.Response.SetBody(p.Append(nil))
		return
	}
	ctx.Response.SetBody(lang.AppendError(nil, p))
}

// writeData answers {"data":v}.
func (r *responder) writeData(ctx *fasthttp.RequestCtx, v any) {
	r.writeJSON(ctx, 200, struct {
		Data any `json:"data"`
	}{v})
}

// writeRaw answers with a JSON document that is ready.
func (r *responder) writeRaw(ctx *fasthttp.RequestCtx, body []byte) {
	r.setCommon(ctx, 200, "application/json")
	ctx.Response.SetBody(body)
}

func (r *responder) writeJSON(ctx *fasthttp.RequestCtx, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		r.refuse(ctx, internalError())
		return
	}
	r.setCommon(ctx, status, "application/json")
	ctx.Response.SetBody(append(b, '\n'))
}

// internalError is all that a client learns of a fault of ours.
func internalError() *problem.Problem { return problem.New(500, "server", "Internal server error") }
