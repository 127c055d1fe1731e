package gateway

import (
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/catalog"
	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/tokens"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// choose plans where the request may go: the endpoints of the model, then
// those of its fallbacks, by the client's preferences.
func (a *attempt) choose() *problem.Problem {
	if p := a.target(); p != nil {
		return p
	}
	a.plan.Reset()
	picky, err := a.constrain()
	if err != nil {
		return problem.Of(fault.From(err), "")
	}
	if slug := a.caller.headers.Peek("X-Route-Pin"); len(slug) > 0 && a.caller.key.Role == snapshot.RoleAdmin {
		if p := a.pin(string(slug)); p != nil {
			return p
		}
	} else if picky {
		a.plan.Prefer(&a.constraints, a.targets)
	} else {
		for _, t := range a.targets {
			a.plan.Add(t.Model, &a.constraints)
		}
	}
	if len(a.plan.Candidates()) == 0 {
		return a.nothingLeft()
	}
	return nil
}

// target finds the models that were asked for: model, then models[] in order.
func (a *attempt) target() *problem.Problem {
	a.targets = a.targets[:0]
	if len(a.caller.snap.Models) == 0 {
		return problem.New(503, "provider_overloaded", "This node has no models yet: it has received no release")
	}
	names := modelList(a.req.Raw(chat.Models))
	if a.req.Model == "" && a.req.Raw(chat.Model) != nil || slices.Contains(names, "") {
		return problem.New(400, "invalid_request", "model: must not be empty; leave it out for the default model")
	}
	if a.req.Model == "" && len(names) > 0 {
		a.req.Model = names[0]
	}
	if p := a.aim(a.req.Model); p != nil {
		return p
	}
	for _, name := range names {
		if p := a.aim(name); p != nil {
			return p
		}
	}
	return nil
}

// autoRouter is OpenRouter's id for whatever model its router finds fit: here
// it is the default model.
const autoRouter = "openrouter/auto"

// aim adds a model to the targets, once.
func (a *attempt) aim(name string) *problem.Problem {
	var t route.Target
	if name == "" || name == autoRouter && a.caller.snap.Model([]byte(name)) == nil {
		t.Model = a.caller.snap.Default
	} else {
		var p *problem.Problem
		if t, p = a.caller.find(name); p != nil {
			return p
		}
	}
	switch {
	case a.caller.key.Role < t.Model.Role:
		return unknownModel(name) // hidden, not refused
	case !a.caller.key.May(t.Model):
		return problem.New(403, "permission_denied", "This API key may not use the model "+t.Model.ID)
	case (t.Model.Type == "embedding") != a.lang.Embeddings:
		return problem.New(400, "invalid_request", t.Model.ID+" is not a model for "+a.translator.Name())
	}
	known := func(o route.Target) bool { return o.Model == t.Model }
	if !slices.ContainsFunc(a.targets, known) && len(a.targets) < route.MaxModels {
		a.targets = append(a.targets, t)
	}
	return nil
}

// constrain reads the preferences; false if the request has none and every
// endpoint of its models can do what it asks.
func (a *attempt) constrain() (picky bool, err error) {
	a.constraints = route.Constraints{Sent: a.req.Sent, Session: route.Hash(a.caller.session(a.req)), Now: a.caller.started}
	a.constraints.Sent &^= chat.RouterParams() &^ a.req.Router() // empty lists ask for nothing
	switch string(a.req.Raw(chat.ToolChoice)) {
	case `"auto"`, `"none"`: // can be said to everybody
		a.constraints.Sent &^= chat.SetOf(chat.ToolChoice)
	}
	if raw := a.req.Raw(chat.Provider); raw != nil {
		pref, err := route.ParsePreferences(raw)
		if err != nil {
			return false, err
		}
		a.constraints.Preferences, picky = *pref, true
	}
	if string(a.req.Raw(chat.Route)) == `"sort"` { // the older way to say so
		a.constraints.Across = true
	}
	for _, t := range a.targets {
		picky = picky || t.Sort != route.NotSorted || t.Model.Uneven&a.constraints.Sent != 0
		a.measure(t.Model)
	}
	return picky, nil
}

// measure finds out of the request what the model's policy and affinity go by.
func (a *attempt) measure(m *snapshot.Model) {
	w := &a.constraints
	if w.Prefix == 0 && w.WantsPrefix(m) {
		w.Prefix = route.Prefix(a.req)
	}
	switch m.Policy {
	case snapshot.Latency:
		w.Shape.Streamed = a.translator.Streamed()
	case snapshot.Cost:
		w.Shape.Prompt, w.Shape.Sent = tokens.OfPrompt(a.req)
		w.Shape.MaxCompletion = a.req.MaxTokens
		if limit := int64(m.MaxOutputLength); limit > 0 && (w.Shape.MaxCompletion == 0 || w.Shape.MaxCompletion > limit) {
			w.Shape.MaxCompletion = limit
		}
	case snapshot.Weighted, snapshot.Priority, snapshot.LeastBusy:
	}
}

// pin plans the one endpoint that an administrator's request names.
func (a *attempt) pin(name string) *problem.Problem {
	m := a.targets[0].Model
	a.targets = a.targets[:1]
	if a.plan.Pin(m, wire.Slug(name), a.caller.started) {
		return nil
	}
	return problem.New(400, "invalid_request", "X-Route-Pin: "+m.ID+" has no endpoint or provider "+name+"; it has "+strings.Join(shortIDs(m), ", "))
}

func shortIDs(m *snapshot.Model) []string {
	out := []string{}
	for _, e := range slices.Concat(m.Endpoints, m.Parked) {
		out = append(out, catalog.ShortID(m.Model, e.Endpoint))
	}
	return out
}

// restTime is what a client is told to wait for endpoints that are not there:
// a new release may bring them.
const restTime = 10 * time.Second

// nothingLeft says why there is no endpoint to try.
func (a *attempt) nothingLeft() *problem.Problem {
	if waiting := a.plan.Waiting; waiting.Endpoint != nil {
		return problem.Of(dispatch.OutOfService([]route.Candidate{waiting}, a.caller.started), "")
	}
	if a.plan.Considered == 0 {
		p := problem.New(503, "provider_overloaded", "No endpoint of "+a.targets[0].Model.ID+" is in service")
		p.RetryAfter = restTime
		return p
	}
	p := problem.New(404, "not_found", "No allowed providers are available for the selected model. Excluded by provider."+
		strings.Join(a.plan.Excluded.Names(), ", provider.")+".")
	p.Requested = a.constraints.Only
	if len(p.Requested) == 0 {
		p.Requested = a.constraints.Order
	}
	for _, t := range a.targets {
		for _, e := range t.Model.Endpoints {
			if slug := wire.Slug(e.Provider); !slices.Contains(p.Available, slug) {
				p.Available = append(p.Available, slug)
			}
		}
	}
	return p
}
