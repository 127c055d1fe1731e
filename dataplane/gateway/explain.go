package gateway

import (
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// wantsRouting reports whether the client asked for openrouter_metadata.
func wantsRouting(h *fasthttp.RequestHeader) bool {
	return string(h.Peek("X-OpenRouter-Metadata")) == "enabled" || string(h.Peek("X-OpenRouter-Experimental-Metadata")) == "enabled"
}

// routing tells how the request found its endpoint, nil if nobody asked or
// nothing was planned.
func (x *exchange) routing() []byte {
	if len(x.targets) == 0 || !wantsRouting(&x.ctx.Request.Header) {
		return nil
	}
	requested := x.req.Model
	if requested == "" {
		requested = x.targets[0].Model.ID
	}
	attempts := x.run.Attempts()
	dst := rawjson.AppendString([]byte(`{"requested":`), requested)
	dst = rawjson.AppendString(append(dst, `,"strategy":`...), x.strategy())
	dst = rawjson.AppendString(append(dst, `,"region":null,"summary":`...), x.summary())
	dst = strconv.AppendInt(append(dst, `,"attempt":`...), int64(len(attempts)), 10)
	dst = append(dst, `,"is_byok":false,"endpoints":`...)
	dst = x.appendCandidates(dst)
	return append(x.appendAttempts(dst, attempts), '}')
}

// strategy is OpenRouter's word for how the model was found.
func (x *exchange) strategy() string {
	switch {
	case x.req.Model == "" || x.req.Model == autoRouter:
		return "auto"
	case len(x.targets) > 1:
		return "fallback"
	case x.req.Model != x.targets[0].Model.ID && x.targets[0].Sort == route.NotSorted:
		return "alias"
	}
	return "direct"
}

// summary is the decision in one line.
func (x *exchange) summary() string {
	s := "available=" + strconv.Itoa(len(x.plan.Candidates())) + " of " + strconv.Itoa(x.plan.Considered)
	sort := x.wish.Sort
	if sort == route.NotSorted {
		sort = x.targets[0].Sort
	}
	if sort != route.NotSorted {
		s += ", sorted by " + sort.String()
	}
	if names := x.plan.Excluded.Names(); len(names) > 0 {
		s += ", excluded by " + strings.Join(names, " and ")
	}
	if c := x.run.Current(); c.Endpoint != nil {
		s += ", selected=" + c.Endpoint.Provider
	}
	return s
}

func (x *exchange) appendCandidates(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"total":`...), int64(x.plan.Considered), 10)
	dst = append(dst, `,"available":[`...)
	for i, c := range x.plan.Candidates() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPlace(dst, c)
		dst = strconv.AppendBool(append(dst, `,"selected":`...), c == x.run.Current())
		dst = append(dst, '}')
	}
	return append(dst, ']', '}')
}

// appendPlace begins an object with a candidate's provider and model.
func appendPlace(dst []byte, c route.Candidate) []byte {
	dst = rawjson.AppendString(append(dst, `{"provider":`...), c.Endpoint.Provider)
	return rawjson.AppendString(append(dst, `,"model":`...), c.Model.ID)
}

func (x *exchange) appendAttempts(dst []byte, attempts []wire.Attempt) []byte {
	dst = append(dst, `,"attempts":[`...)
	n := 0
	for _, a := range attempts {
		c := x.candidate(a.Endpoint)
		if c.Endpoint == nil {
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(appendPlace(dst, c), `,"status":`...), int64(a.Status), 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// candidate returns the planned endpoint of that id.
func (x *exchange) candidate(id string) route.Candidate {
	for _, c := range x.plan.Candidates() {
		if c.Endpoint.ID == id {
			return c
		}
	}
	return route.Candidate{}
}

// problem turns the fault that ended the request into what the client is told
// of it, with the attempts before.
func (x *exchange) problem(f *fault.Error) *problem.Problem {
	p := problem.Of(f, x.provider())
	attempts := x.run.Attempts()
	for _, a := range attempts[:max(0, len(attempts)-1)] {
		if c := x.candidate(a.Endpoint); c.Endpoint != nil {
			p.Previous = append(p.Previous, problem.Attempt{Provider: c.Endpoint.Provider, Code: a.Kind, Status: a.Status})
		}
	}
	return x.explained(p)
}

// explained adds the routing decision, but for our own mistakes: those are
// told as little as possible of.
func (x *exchange) explained(p *problem.Problem) *problem.Problem {
	if p.Status != 500 {
		p.Routing = x.routing()
	}
	return p
}
