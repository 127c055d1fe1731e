package gateway

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

// Asked says what would become of a request: it goes the way of one up to the
// plan, and no further. Nothing is counted.
func (g *Gateway) Asked(q *wire.Question) (out wire.Explanation) {
	snap := g.current.Load()
	out = wire.Explanation{Node: g.opts.Node, Release: snap.Release, Models: []string{}, Tried: []wire.Candidate{}, Left: []wire.Candidate{}}
	defer func() {
		if cause := recover(); cause != nil { // the request itself would be rescued, too
			g.opts.Log.Error("BUG: a request could not be explained", slog.Any("cause", cause))
			out.Status, out.Message = 500, "Internal error"
		}
	}()
	x := &exchange{g: g, ctx: new(fasthttp.RequestCtx), snap: snap, started: time.Now()}
	var ok bool
	if x.surface, ok = surfaceOf(q.Path); !ok {
		out.Status, out.Message = 404, "There is no API "+q.Path+"; there are chat/completions, completions, embeddings and messages"
		return out
	}
	if x.key = keyOf(snap, q.KeyID); x.key == nil {
		out.Status, out.Message = 401, "This node does not know the key "+q.KeyID
		return out
	}
	for name, value := range q.Header {
		x.ctx.Request.Header.Set(name, value)
	}
	x.ctx.Request.SetBody(q.Body)
	if p := x.prepare(); p != nil {
		out.Status, out.Message = p.Status, p.Message
	}
	x.explain(&out)
	return out
}

func surfaceOf(path string) (surface, bool) {
	switch strings.Trim(path, "/") {
	case "chat/completions", "":
		return surfaceChat, true
	case "completions":
		return surfaceCompletions, true
	case "embeddings":
		return surfaceEmbeddings, true
	case "messages":
		return surfaceMessages, true
	}
	return 0, false
}

func keyOf(snap *snapshot.Snapshot, id string) *snapshot.Key {
	if id == "" {
		return snapshot.Anonymous()
	}
	for k := range snap.Keys.All() {
		if k.ID == id && (k.Expires().IsZero() || time.Now().Before(k.Expires())) {
			return k
		}
	}
	return nil
}

// explain lists the plan, and what is not in it.
func (x *exchange) explain(out *wire.Explanation) {
	tried := x.plan.Candidates()
	for _, c := range tried {
		shown := shownCandidate(c.Model, c.Endpoint)
		if !c.Endpoint.Available(x.started) {
			shown.Reason = "tried all the same, nothing better is left: " + x.unwell(c.Endpoint)
		}
		out.Tried = append(out.Tried, shown)
	}
	for _, t := range x.targets {
		out.Models = append(out.Models, t.Model.ID)
		for _, m := range x.snap.Missing {
			if i := slices.IndexFunc(t.Model.Model.Endpoints, func(e wire.Endpoint) bool { return e.ID == m.Endpoint }); i >= 0 {
				e := &t.Model.Model.Endpoints[i]
				out.Left = append(out.Left, wire.Candidate{
					Model: t.Model.ID, Endpoint: e.ID, Provider: e.Provider, Weight: e.Weight, Reason: m.Variable + " is not set on this node",
				})
			}
		}
		for _, e := range t.Model.Endpoints {
			if slices.ContainsFunc(tried, func(c route.Candidate) bool { return c.Endpoint == e }) {
				continue
			}
			left := shownCandidate(t.Model, e)
			left.Reason = x.leftOut(e)
			out.Left = append(out.Left, left)
		}
		for _, e := range t.Model.Parked {
			left := shownCandidate(t.Model, e)
			left.Reason = parked(e)
			out.Left = append(out.Left, left)
		}
	}
}

func shownCandidate(m *snapshot.Model, e *snapshot.Endpoint) wire.Candidate {
	return wire.Candidate{Model: m.ID, Endpoint: e.ID, Provider: e.Provider, Weight: e.Weight}
}

// leftOut says why an endpoint in service is not in the plan.
func (x *exchange) leftOut(e *snapshot.Endpoint) string {
	if names := x.wish.Excludes(e).Names(); len(names) > 0 {
		return "excluded by provider." + names[0]
	}
	if !e.Available(x.started) {
		return x.unwell(e)
	}
	if x.wish.NoFallbacks {
		return "another one is tried, and provider.allow_fallbacks is false"
	}
	if len(x.plan.Candidates()) == route.MaxCandidates {
		return fmt.Sprintf("%d others come first", route.MaxCandidates)
	}
	return "X-Route-Pin names another one, or the request was refused before"
}

// unwell says what is wrong with an endpoint.
func (x *exchange) unwell(e *snapshot.Endpoint) string {
	if e.Full() {
		return fmt.Sprintf("full: %d requests are there, max_concurrency is %d", e.State.InFlight.Load(), e.MaxConcurrency)
	}
	word, reason := e.State.Condition(x.started)
	text := cmp.Or(word, "not available")
	if reason != "" {
		text += ": " + reason
	}
	if until := e.State.Until(x.started); !until.IsZero() && word != "probe_failed" {
		text += ", until " + until.UTC().Format(time.RFC3339)
	}
	return text
}

// parked says why an endpoint gets no traffic but by name.
func parked(e *snapshot.Endpoint) string {
	if e.Disabled() {
		return "disabled by an operator"
	}
	return "it has no weight"
}
