package gateway

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/snapshot"
)

// listModels answers GET models and models/user: what the caller's key may use
// and what is in service, of text models unless others are asked for.
func (g *Gateway) listModels(x *exchange) {
	h := &x.ctx.Request.Header
	if path := pathOf(x.ctx); path == "/anthropic/v1/models" || path == "/v1/models" && fromAnthropic(h) {
		g.listForAnthropic(x)
		return
	}
	if x.ctx.QueryArgs().Len() == 0 && !x.key.Restricted() {
		g.writeRaw(x.ctx, x.snap.Lists[x.key.Role])
		return
	}
	g.listBy(x, "text")
}

// listEmbeddings answers GET embeddings/models.
func (g *Gateway) listEmbeddings(x *exchange) { g.listBy(x, "embeddings") }

func (g *Gateway) listBy(x *exchange, modality string) {
	s, p := newSelection(x.ctx.QueryArgs(), modality)
	if p != nil {
		g.refuse(x.ctx, p)
		return
	}
	list := x.snap.Visible(x.key, s.keeps)
	s.sort(list)
	page, next := s.page(list)
	if next >= 0 {
		g.writeRaw(x.ctx, snapshot.AppendPage(nil, page, len(list), nextPath(x.ctx, next)))
		return
	}
	g.writeRaw(x.ctx, snapshot.AppendPage(nil, page, len(list), ""))
}

// nextPath is the path and query of the page that begins at offset.
func nextPath(ctx *fasthttp.RequestCtx, offset int) string {
	args := fasthttp.AcquireArgs()
	defer fasthttp.ReleaseArgs(args)
	ctx.QueryArgs().CopyTo(args)
	args.SetUint("offset", offset)
	return string(ctx.Path()) + "?" + args.String()
}

// countModels answers GET models/count.
func (g *Gateway) countModels(x *exchange) {
	s, p := newSelection(x.ctx.QueryArgs(), "text")
	if p != nil {
		g.refuse(x.ctx, p)
		return
	}
	g.writeData(x.ctx, map[string]int{"count": len(x.snap.Visible(x.key, s.keeps))})
}

// model returns the model of a path, by its id, an alias or a variant of
// either; nil if the caller has none of that name.
func (x *exchange) model(name string) *snapshot.Model {
	t, p := x.find(name)
	if p != nil || !x.key.May(t.Model) {
		return nil
	}
	return t.Model
}

// retrieveModel answers GET models/{id} as OpenAI does, and Anthropic.
func (g *Gateway) retrieveModel(x *exchange, name string) {
	m := x.model(name)
	switch {
	case m == nil:
		g.refuse(x.ctx, noModel(name))
	case fromAnthropic(&x.ctx.Request.Header):
		g.writeJSON(x.ctx, 200, anthropicItem(m))
	default:
		g.writeRaw(x.ctx, m.JSON)
	}
}

// showModel answers GET model/{author}/{slug}.
func (g *Gateway) showModel(x *exchange, name string) {
	m := x.model(name)
	if m == nil {
		g.refuse(x.ctx, noModel(name))
		return
	}
	out := append([]byte(`{"data":`), m.JSON...)
	g.writeRaw(x.ctx, append(out, '}'))
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

type anthropicModel struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

func anthropicItem(m *snapshot.Model) anthropicModel {
	return anthropicModel{Type: "model", ID: m.ID, DisplayName: m.Name, CreatedAt: time.Unix(m.Created, 0).UTC().Format(time.RFC3339)}
}

func (g *Gateway) listForAnthropic(x *exchange) {
	list := struct {
		Data    []anthropicModel `json:"data"`
		HasMore bool             `json:"has_more"`
		First   *string          `json:"first_id"`
		Last    *string          `json:"last_id"`
	}{Data: []anthropicModel{}}
	for _, m := range x.snap.Visible(x.key, func(m *snapshot.Model) bool { return m.Answers("text") }) {
		list.Data = append(list.Data, anthropicItem(m))
	}
	if n := len(list.Data); n > 0 {
		list.First, list.Last = &list.Data[0].ID, &list.Data[n-1].ID
	}
	g.writeJSON(x.ctx, 200, list)
}

// pages finds the handler of a path below /v1 that names a model, and of the
// smaller ones. nil if there is none.
func (g *Gateway) pages(path string) func(*exchange) {
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
		return g.listDiscreet
	case "/v1/key", "/v1/auth/key":
		return g.keyInfo
	case "/v1/credits":
		return g.credits
	case "/v1/generation":
		return g.generation
	}
	if name, ok := strings.CutPrefix(path, "/v1/model/"); ok {
		return func(x *exchange) { g.showModel(x, name) }
	}
	name, ok := strings.CutPrefix(path, "/v1/models/")
	if !ok {
		if name, ok = strings.CutPrefix(path, "/anthropic/v1/models/"); !ok {
			return nil
		}
	}
	if name, ok := strings.CutSuffix(name, "/endpoints"); ok {
		return func(x *exchange) { g.listEndpoints(x, name) }
	}
	return func(x *exchange) { g.retrieveModel(x, name) }
}

// page answers what needs a key and is no generation.
func (g *Gateway) page(ctx *fasthttp.RequestCtx, answer func(*exchange)) {
	x := g.begin(ctx, surfaceChat)
	defer g.recycle(x)
	if p := x.authenticate(); p != nil {
		g.refuse(ctx, p)
		return
	}
	answer(x)
}

// writeData answers {"data":v}.
func (g *Gateway) writeData(ctx *fasthttp.RequestCtx, v any) {
	g.writeJSON(ctx, 200, struct {
		Data any `json:"data"`
	}{v})
}

func (g *Gateway) writeRaw(ctx *fasthttp.RequestCtx, body []byte) {
	g.setCommon(ctx, 200, "application/json")
	ctx.Response.SetBody(body)
}

// number reads a query's number from low on; absent gives false.
func number(args *fasthttp.Args, name string, low float64) (float64, bool, *problem.Problem) {
	raw := string(args.Peek(name))
	if raw == "" || raw == "null" {
		return 0, false, nil
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || !(f >= low) {
		return 0, false, badQuery(name, "a number of at least "+strconv.FormatFloat(low, 'g', -1, 64))
	}
	return f, true, nil
}

func badQuery(name, want string) *problem.Problem {
	return problem.New(400, "invalid_request", name+": must be "+want)
}
