package gateway

import (
	"net/url"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/catalog"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// listModels answers GET models and models/user: what the caller's key may use
// and what is in service, of text models unless others are asked for.
func (g *Gateway) listModels(x caller) {
	h := &x.ctx.Request.Header
	if path := pathOf(x.ctx); path == "/anthropic/v1/models" || path == "/v1/models" && fromAnthropic(h) {
		g.writeJSON(x.ctx, 200, catalog.AnthropicList(x.snap.Visible(x.key)))
		return
	}
	if x.ctx.QueryArgs().Len() == 0 && !x.key.Restricted() {
		g.writeRaw(x.ctx, x.snap.Catalog.List(int(x.key.Role)))
		return
	}
	g.listBy(x, "text")
}

// listEmbeddings answers GET embeddings/models.
func (g *Gateway) listEmbeddings(x caller) { g.listBy(x, "embeddings") }

func (g *Gateway) listBy(x caller, modality string) {
	page, p := catalog.Page(x.snap.Visible(x.key), queryOf(x.ctx), modality, string(x.ctx.Path()))
	if p != nil {
		g.refuse(x.ctx, p)
		return
	}
	g.writeRaw(x.ctx, page)
}

// countModels answers GET models/count.
func (g *Gateway) countModels(x caller) {
	n, p := catalog.Count(x.snap.Visible(x.key), queryOf(x.ctx))
	if p != nil {
		g.refuse(x.ctx, p)
		return
	}
	g.writeData(x.ctx, map[string]int{"count": n})
}

// queryOf reads the query; what cannot be decoded counts as absent.
func queryOf(ctx *fasthttp.RequestCtx) url.Values {
	query, _ := url.ParseQuery(string(ctx.URI().QueryString()))
	return query
}

// retrieveModel answers GET models/{id} as OpenAI does, and Anthropic.
func (g *Gateway) retrieveModel(x caller, name string) {
	m := x.model(name)
	switch {
	case m == nil:
		g.refuse(x.ctx, noModel(name))
	case fromAnthropic(&x.ctx.Request.Header):
		g.writeJSON(x.ctx, 200, m.Anthropic())
	default:
		g.writeRaw(x.ctx, m.JSON)
	}
}

// showModel answers GET model/{author}/{slug}.
func (g *Gateway) showModel(x caller, name string) {
	m := x.model(name)
	if m == nil {
		g.refuse(x.ctx, noModel(name))
		return
	}
	out := append([]byte(`{"data":`), m.JSON...)
	g.writeRaw(x.ctx, append(out, '}'))
}

// listEndpoints answers GET models/{author}/{slug}/endpoints.
func (g *Gateway) listEndpoints(x caller, name string) {
	m := x.model(name)
	if m == nil {
		g.refuse(x.ctx, noModel(name))
		return
	}
	g.writeRaw(x.ctx, catalog.Endpoints(m, x.started))
}

// listZeroRetention answers GET endpoints/zdr.
func (g *Gateway) listZeroRetention(x caller) {
	g.writeRaw(x.ctx, catalog.ZeroRetention(x.snap.Visible(x.key), x.started))
}

// providers answers GET providers: who serves the models that the caller may use.
func (g *Gateway) providers(x caller) {
	g.writeData(x.ctx, catalog.Providers(x.snap.Visible(x.key)))
}

func noModel(name string) *problem.Problem {
	return problem.New(404, "not_found", "Model "+name+" not found")
}

// fromAnthropic recognises Anthropic's clients, which expect its own list.
func fromAnthropic(h *fasthttp.RequestHeader) bool {
	if len(h.Peek("Anthropic-Version")) > 0 {
		return true
	}
	agent := strings.ToLower(string(h.UserAgent()))
	for _, prefix := range []string{"anthropic-", "anthropic/", "claude-cli", "claude-sdk"} {
		if strings.HasPrefix(agent, prefix) {
			return true
		}
	}
	return false
}

// pages finds the handler of a path below /v1 that names a model, and of the
// smaller ones. nil if there is none.
func (g *Gateway) pages(path string) func(caller) {
	switch path {
	case "/v1/models", "/models", "/openrouter/models", "/anthropic/v1/models", "/v1/models/user":
		return g.listModels
	case "/v1/models/count":
		return g.countModels
	case "/v1/embeddings/models":
		return g.listEmbeddings
	case "/v1/providers":
		return g.providers
	case "/v1/endpoints/zdr":
		return g.listZeroRetention
	case "/v1/key", "/v1/auth/key":
		return g.keyInfo
	case "/v1/credits":
		return g.credits
	case "/v1/generation":
		return g.generation
	}
	if name, ok := strings.CutPrefix(path, "/v1/model/"); ok {
		return func(x caller) { g.showModel(x, name) }
	}
	name, ok := strings.CutPrefix(path, "/v1/models/")
	if !ok {
		if name, ok = strings.CutPrefix(path, "/anthropic/v1/models/"); !ok {
			return nil
		}
	}
	if name, ok := strings.CutSuffix(name, "/endpoints"); ok {
		return func(x caller) { g.listEndpoints(x, name) }
	}
	return func(x caller) { g.retrieveModel(x, name) }
}

// page answers what needs a key and is no generation.
func (g *Gateway) page(ctx *fasthttp.RequestCtx, answer func(caller)) {
	g.enter()
	defer g.leave()
	x := caller{ctx: ctx, headers: headersOf(ctx), snap: g.current.Load(), started: time.Now()}
	if p := x.authenticate(g.auth); p != nil {
		g.refuse(ctx, p)
		g.logRefusal(ctx, p)
		return
	}
	answer(x)
}
