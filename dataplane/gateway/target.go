package gateway

import (
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/catalog"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/fault"
)

// choose plans where the request may go: the endpoints of the model, then
// those of its fallbacks, by the client's preferences.
func (x *exchange) choose() *problem.Problem {
	if p := x.target(); p != nil {
		return p
	}
	x.plan.Reset()
	picky, err := x.wishes()
	if err != nil {
		return problem.Of(fault.From(err), "")
	}
	if slug := x.ctx.Request.Header.Peek("X-Route-Pin"); len(slug) > 0 && x.key.Role == snapshot.RoleAdmin {
		return x.pin(string(slug))
	}
	if picky {
		x.plan.Prefer(&x.wish, x.targets)
	} else {
		for _, t := range x.targets {
			x.plan.Add(t.Model, x.wish.Session, x.started)
		}
	}
	if len(x.plan.Candidates()) == 0 {
		return x.nothingLeft()
	}
	return nil
}

// target finds the models that were asked for: model, then models[] in order.
func (x *exchange) target() *problem.Problem {
	x.targets = x.targets[:0]
	if len(x.snap.Models) == 0 {
		return problem.New(503, "provider_overloaded", "This node has no models yet: no release has reached it")
	}
	names := modelList(x.req.Raw(chat.Models))
	if x.req.Model == "" && len(names) > 0 {
		x.req.Model = names[0]
	}
	if p := x.aim(x.req.Model); p != nil {
		return p
	}
	for _, name := range names {
		if p := x.aim(name); p != nil {
			return p
		}
	}
	return nil
}

// autoRouter is OpenRouter's id for whatever model its router finds fit: here
// it is the default model.
const autoRouter = "openrouter/auto"

// aim adds a model to the targets, once.
func (x *exchange) aim(name string) *problem.Problem {
	var t route.Target
	if name == "" || name == autoRouter && x.snap.Model([]byte(name)) == nil {
		t.Model = x.snap.Default
	} else {
		var p *problem.Problem
		if t, p = x.find(name); p != nil {
			return p
		}
	}
	switch {
	case x.key.Role < t.Model.Role:
		return unknownModel(name) // hidden, not refused
	case !x.key.May(t.Model):
		return problem.New(403, "permission_denied", "This API key may not use the model "+t.Model.ID)
	case (t.Model.Type == "embedding") != (x.surface == surfaceEmbeddings):
		return problem.New(400, "invalid_request", t.Model.ID+" is not a model for "+x.surface.String())
	}
	known := func(o route.Target) bool { return o.Model == t.Model }
	if !slices.ContainsFunc(x.targets, known) && len(x.targets) < route.MaxModels {
		x.targets = append(x.targets, t)
	}
	return nil
}

// find returns the model of that id or alias, or the one whose variant it is.
func (x *exchange) find(name string) (route.Target, *problem.Problem) {
	if m := x.snap.Model([]byte(name)); m != nil {
		return route.Target{Model: m}, nil
	}
	base, variant := name, ""
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		base, variant = name[:i], name[i+1:]
	}
	m := x.snap.Model([]byte(base))
	if m == nil || x.key.Role < m.Role {
		return route.Target{}, unknownModel(name)
	}
	switch variant {
	case "nitro":
		return route.Target{Model: m, Sort: route.ByThroughput}, nil
	case "floor":
		return route.Target{Model: m, Sort: route.ByPrice}, nil
	case "exacto":
		return route.Target{Model: m, Sort: route.ByQuality}, nil
	case "free", "online", "thinking", "extended", "beta":
		return route.Target{}, problem.New(404, "not_found", "No endpoints found for "+name+".")
	}
	return route.Target{}, unknownModel(name)
}

func unknownModel(name string) *problem.Problem {
	return problem.New(400, "invalid_request", name+" is not a valid model ID")
}

// wishes reads the preferences; false if the request has none and every
// endpoint of its models can do what it asks.
func (x *exchange) wishes() (picky bool, err error) {
	x.wish = route.Constraints{Sent: x.req.Sent, Session: route.Hash(x.session()), Now: x.started}
	switch string(x.req.Raw(chat.ToolChoice)) {
	case `"auto"`, `"none"`: // can be said to everybody
		x.wish.Sent &^= chat.SetOf(chat.ToolChoice)
	}
	if x.preferences != nil {
		pref, err := route.ParsePreferences(x.preferences)
		if err != nil {
			return false, err
		}
		x.wish.Preferences, picky = *pref, true
	}
	if string(x.req.Raw(chat.Route)) == `"sort"` { // the older way to say so
		x.wish.Across = true
	}
	for _, t := range x.targets {
		picky = picky || t.Sort != route.NotSorted || t.Model.Uneven&x.wish.Sent != 0
	}
	return picky, nil
}

// pin plans the one endpoint that an administrator's request names.
func (x *exchange) pin(name string) *problem.Problem {
	m := x.targets[0].Model
	x.targets = x.targets[:1]
	if x.plan.Pin(m, catalog.Slug(name), x.started) {
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
func (x *exchange) nothingLeft() *problem.Problem {
	if x.plan.Considered == 0 {
		p := problem.New(503, "provider_overloaded", "No endpoint of "+x.targets[0].Model.ID+" is in service")
		p.RetryAfter = restTime
		return p
	}
	p := problem.New(404, "not_found", "No allowed providers are available for the selected model. Excluded by provider."+
		strings.Join(x.plan.Excluded.Names(), ", provider.")+".")
	p.Requested = x.wish.Only
	if len(p.Requested) == 0 {
		p.Requested = x.wish.Order
	}
	for _, t := range x.targets {
		for _, e := range t.Model.Endpoints {
			if slug := catalog.Slug(e.Provider); !slices.Contains(p.Available, slug) {
				p.Available = append(p.Available, slug)
			}
		}
	}
	return p
}
