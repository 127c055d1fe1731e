package gateway

import "github.com/valyala/fasthttp"

// routing answers GET /routing: public, and without anything that must not be.
func (g *Gateway) routing(ctx *fasthttp.RequestCtx) {
	g.setCommon(ctx, 200, "application/json")
	ctx.Response.SetBody(g.current.Load().Catalog.Routing())
}

// Health is the response of GET /health.
type Health struct {
	// Status is healthy, degraded or draining. It is no reason to restart a node.
	Status  string `json:"status"`
	Node    string `json:"node"`
	Version string `json:"version"`
	// Release in service, 0 for none; RoutesConfigured counts its models.
	Release uint64 `json:"release"`
	// Canary: few nodes serve this release, before all others.
	Canary           bool   `json:"canary,omitempty"`
	RoutesConfigured int    `json:"routes_configured"`
	KeyTable         uint64 `json:"key_table"`
	// OutOfService counts endpoints that wait for a secret; which, the heartbeat
	// reports to the control plane, not to the public.
	OutOfService int   `json:"endpoints_out_of_service"`
	InFlight     int64 `json:"in_flight"`
	// Shed counts requests that were refused because there were too many.
	Shed uint64 `json:"shed"`
	// Notes say what is wrong.
	Notes []string `json:"notes"`
	// Usage is the balance of usage events.
	Usage any `json:"usage"`
	// Control is the state of the connection to the control plane.
	Control any `json:"control"`
}

// Report is what other parts of the node add to its health.
type Report struct {
	Control any
	Notes   []string
}

func (g *Gateway) healthNow() Health {
	snap := g.current.Load()
	h := Health{
		Status: "healthy", Node: g.opts.Node, Version: g.opts.Version, Release: snap.Release, Canary: snap.Canary, RoutesConfigured: len(snap.Models),
		KeyTable: snap.Keys.Version, OutOfService: len(snap.Missing), InFlight: g.inFlight.Load(), Shed: g.shed.Load(), Usage: g.books.meter.Counts(), Notes: []string{},
	}
	if g.opts.Report != nil {
		r := g.opts.Report()
		h.Control = r.Control
		h.Notes = append(h.Notes, r.Notes...)
	}
	h.Notes = append(h.Notes, g.books.meter.Notes()...)
	if snap.Release == 0 {
		h.Notes = append(h.Notes, "no release yet: no models are served")
	}
	if n := g.panics.Load(); n > 0 {
		h.Notes = append(h.Notes, "requests have panicked, see the log")
	}
	if len(h.Notes) > 0 {
		h.Status = "degraded"
	}
	if g.draining.Load() {
		h.Status = "draining"
	}
	return h
}

// health answers GET /health: 200 as long as the process lives.
func (g *Gateway) health(ctx *fasthttp.RequestCtx) { g.writeJSON(ctx, 200, g.healthNow()) }

// ready answers GET /health/ready: whether this node should get requests. Losing
// NATS, the control plane or the database is no reason not to.
func (g *Gateway) ready(ctx *fasthttp.RequestCtx) {
	h := g.healthNow()
	status := 200
	if h.Release == 0 || h.Status == "draining" {
		status = 503
	}
	g.writeJSON(ctx, status, h)
}

// index answers GET / with what there is.
func (g *Gateway) index(ctx *fasthttp.RequestCtx) {
	g.writeJSON(ctx, 200, map[string]any{
		"message": "LLM API gateway, compatible with OpenAI and OpenRouter clients", "version": g.opts.Version,
		"endpoints": map[string]string{
			"POST /v1/chat/completions":     "chat, streamed or not",
			"POST /v1/completions":          "legacy completions, streamed or not",
			"POST /v1/messages":             "Anthropic's API, over any provider",
			"POST /v1/responses":            "OpenAI's Responses API, over any provider",
			"POST /v1/embeddings":           "embeddings",
			"POST /v1/rerank":               "documents in order of relevance",
			"POST /v1/images/generations":   "images",
			"POST /v1/audio/transcriptions": "what is said in a sound file, streamed or not",
			"GET /v1/models":                "models; /v1/models/{id}/endpoints for who serves one, and how well",
			"GET /v1/key":                   "the key of the request",
			"GET /v1/generation":            "what a request used and cost, by id",
			"GET /routing":                  "current weights",
			"GET /health":                   "health",
			"GET /openapi.json":             "this API as an OpenAPI document",
		},
	})
}
