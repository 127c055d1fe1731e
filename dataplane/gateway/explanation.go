package gateway

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

// Explain says what would become of a request: it goes the way of one up to the
// plan, and no further. Nothing is counted.
func (g *Gateway) Explain(q *wire.Question) (out wire.Explanation) {
	snap := g.current.Load()
	out = wire.Explanation{Node: g.opts.Node, Release: snap.Release, Canary: snap.Canary, Models: []string{}, Tried: []wire.Candidate{}, Left: []wire.Candidate{}}
	defer func() {
		if cause := recover(); cause != nil { // as that of the request itself would be
			g.opts.Log.Error("BUG: a request could not be explained", slog.Any("cause", cause))
			out.Status, out.Message = 500, "Internal error"
		}
	}()
	lang := g.find("/v1/" + cmp.Or(strings.Trim(q.Path, "/"), "chat/completions")).generator
	if lang == nil {
		out.Status, out.Message = 404, "There is no API "+q.Path+"; there are "+strings.Join(g.languages(), ", ")
		return out
	}
	x := newExchange(lang)
	ctx := new(fasthttp.RequestCtx)
	for name, value := range q.Header {
		ctx.Request.Header.Set(name, value)
	}
	x.caller = caller{ctx: ctx, headers: headersOf(ctx), snap: snap, key: keyOf(snap, q.KeyID), started: time.Now()}
	if x.caller.key == nil {
		out.Status, out.Message = 401, "Unknown key "+q.KeyID
		return out
	}
	if p := x.prepare(q.Body); p != nil {
		out.Status, out.Message = p.Status, p.Message
	}
	x.attempt.explain(&out, q.Body, g.opts.LimitsClock.Now())
	return out
}

// languages lists the paths below /v1 that answer in a client language.
func (g *Gateway) languages() []string {
	list := []string{}
	for path, e := range g.routes {
		if name, ok := strings.CutPrefix(path, "/v1/"); ok && e.generator != nil {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
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

// explain lists the plan of a request with that body, and what is not in it; now is
// by the clock of limits.
func (a *attempt) explain(out *wire.Explanation, body []byte, now time.Duration) {
	tried := a.plan.Candidates()
	for _, c := range tried {
		shown := a.shown(c.Model, c.Endpoint)
		switch {
		case c.Endpoint.Available(a.caller.started):
			shown.Reason = spentLimit(c.Endpoint, now)
		case c.Model.Queue != nil && c.Endpoint.Full():
			shown.Reason = "waited for in the queue: " + a.unhealthyReason(c.Endpoint)
		default:
			shown.Reason = "tried as a last resort: " + a.unhealthyReason(c.Endpoint)
		}
		out.Tried = append(out.Tried, shown)
	}
	if len(tried) > 0 {
		var call codec.Call
		if err := a.translator.Encode(tried[0].Endpoint.Adapter, &call); err == nil {
			out.Dropped = append(call.Dropped.Names(), call.Omitted...)
		}
	}
	for _, t := range a.targets {
		out.Models = append(out.Models, t.Model.ID)
		if q := t.Model.Queue; q != nil {
			size, wait := q.Settings()
			out.Queues = append(out.Queues, wire.QueueState{Model: t.Model.ID, Size: size, WaitMS: wait.Milliseconds(), Waiting: q.Waiting()})
		}
		is := t.Model.Effective()
		out.Choices = append(out.Choices, wire.Choice{Model: t.Model.ID, Policy: is.Policy, Affinity: is.Affinity, KeptBy: a.constraints.Keeper(t.Model)})
		if h := t.Model.Hedge; h != nil {
			after, _ := h.After(a.translator.Streamed())
			state := wire.HedgeState{Model: t.Model.ID, AfterMS: float64(after.Microseconds()) / 1000, Budget: t.Model.Model.Hedge.Budget}
			if !a.mayHedge(body) {
				state.Never = "the provider runs tools for it, or it is not for a chat"
			}
			out.Hedges = append(out.Hedges, state)
		}
		for _, m := range a.caller.snap.Missing {
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
			left := a.shown(t.Model, e)
			left.Reason = a.skipReason(e)
			out.Left = append(out.Left, left)
		}
		for _, e := range t.Model.Parked {
			left := a.shown(t.Model, e)
			left.Reason = parked(e)
			out.Left = append(out.Left, left)
		}
	}
}

func (a *attempt) shown(m *snapshot.Model, e *snapshot.Endpoint) wire.Candidate {
	return wire.Candidate{Model: m.ID, Endpoint: e.ID, Provider: e.Provider, Weight: e.Weight, Measured: a.constraints.Measured(m, e)}
}

// skipReason says why an endpoint in service is not in the plan.
func (a *attempt) skipReason(e *snapshot.Endpoint) string {
	if names := a.constraints.Excludes(e).Names(); len(names) > 0 {
		return "excluded by provider." + names[0]
	}
	if !e.Available(a.caller.started) {
		return a.unhealthyReason(e)
	}
	if a.constraints.NoFallbacks {
		return "another one is tried, and provider.allow_fallbacks is false"
	}
	if len(a.plan.Candidates()) == route.MaxCandidates {
		return fmt.Sprintf("%d others come first", route.MaxCandidates)
	}
	return "X-Route-Pin names another one, or the request was refused before"
}

// unhealthyReason says what is wrong with an endpoint.
func (a *attempt) unhealthyReason(e *snapshot.Endpoint) string {
	if e.Full() {
		return fmt.Sprintf("full: %d requests in flight, max_concurrency is %d", e.State.InFlight.Load(), e.MaxConcurrency)
	}
	word, reason := e.State.Condition(a.caller.started)
	text := cmp.Or(word, "not available")
	if reason != "" {
		text += ": " + reason
	}
	if until := e.State.Until(a.caller.started); !until.IsZero() && word != "probe_failed" {
		text += ", until " + until.UTC().Format(time.RFC3339)
	}
	return text
}

// spentLimit says which limit of its provider an endpoint has used up, "" for none.
func spentLimit(e *snapshot.Endpoint, now time.Duration) string {
	for _, c := range e.Limits {
		retry, ok := c.Spent(now)
		if !ok {
			continue
		}
		text := fmt.Sprintf("passed over: the provider's %s of %d is used up", c.Limit().Kind, c.Limit().Value)
		if retry > 0 {
			text += ", until " + time.Now().Add(retry).UTC().Format(time.RFC3339)
		}
		return text
	}
	return ""
}

// parked says why an endpoint gets no traffic but by name.
func parked(e *snapshot.Endpoint) string {
	if e.Disabled() {
		return "disabled by an operator"
	}
	if e.Shadow > 0 {
		return "it is a shadow: it gets copies of requests"
	}
	return "its weight is 0"
}
