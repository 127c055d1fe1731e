package gateway

import (
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// wantsRouting reports whether the client asked for openrouter_metadata.
func wantsRouting(h *headers) bool {
	return string(h.Peek("X-OpenRouter-Metadata")) == "enabled" || string(h.Peek("X-OpenRouter-Experimental-Metadata")) == "enabled"
}

// routing explains how the request found its endpoint, nil if the client did
// not ask or nothing was planned.
func (a *attempt) routing() []byte {
	if len(a.targets) == 0 || !wantsRouting(&a.caller.headers) {
		return nil
	}
	requested := a.req.Model
	if requested == "" {
		requested = a.targets[0].Model.ID
	}
	attempts := a.run.Attempts()
	dst := rawjson.AppendString([]byte(`{"requested":`), requested)
	dst = rawjson.AppendString(append(dst, `,"strategy":`...), a.strategy())
	dst = rawjson.AppendString(append(dst, `,"region":null,"summary":`...), a.summary())
	dst = strconv.AppendInt(append(dst, `,"attempt":`...), int64(len(attempts)), 10)
	if names := a.left(); len(names) > 0 {
		dst = append(dst, `,"dropped_parameters":[`...)
		for i, name := range names {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = rawjson.AppendString(dst, name)
		}
		dst = append(dst, ']')
	}
	dst = append(dst, `,"is_byok":false,"endpoints":`...)
	dst = a.appendCandidates(dst)
	return append(a.appendAttempts(dst, attempts), '}')
}

// left names what of the request the answering endpoint did not get.
func (a *attempt) left() []string {
	dropped, omitted := a.run.Dropped(), a.run.Omitted()
	if dropped == 0 && len(omitted) == 0 {
		return nil
	}
	return append(dropped.Names(), omitted...)
}

// strategy is OpenRouter's name for how the model was found.
func (a *attempt) strategy() string {
	switch {
	case a.req.Model == "" || a.req.Model == autoRouter:
		return "auto"
	case len(a.targets) > 1:
		return "fallback"
	case a.req.Model != a.targets[0].Model.ID && a.targets[0].Sort == route.NotSorted:
		return "alias"
	}
	return "direct"
}

// summary is the decision in one line.
func (a *attempt) summary() string {
	s := "available=" + strconv.Itoa(len(a.plan.Candidates())) + " of " + strconv.Itoa(a.plan.Considered)
	sort := a.constraints.Sort
	if sort == route.NotSorted {
		sort = a.targets[0].Sort
	}
	if sort != route.NotSorted {
		s += ", sorted by " + sort.String()
	} else if is := a.targets[0].Model.Effective(); is.Policy != wire.PolicyWeighted {
		s += ", policy=" + is.Policy
	}
	if by := a.constraints.Keeper(a.targets[0].Model); by != "" && sort == route.NotSorted {
		s += ", kept by " + by
	}
	if names := a.plan.Excluded.Names(); len(names) > 0 {
		s += ", excluded by " + strings.Join(names, " and ")
	}
	if c := a.run.Current(); c.Endpoint != nil {
		s += ", selected=" + c.Endpoint.Provider
	}
	return s
}

func (a *attempt) appendCandidates(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"total":`...), int64(a.plan.Considered), 10)
	dst = append(dst, `,"available":[`...)
	for i, c := range a.plan.Candidates() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPlace(dst, c)
		dst = strconv.AppendBool(append(dst, `,"selected":`...), c == a.run.Current())
		dst = append(dst, '}')
	}
	return append(dst, ']', '}')
}

// appendPlace begins an object with a candidate's provider and model.
func appendPlace(dst []byte, c route.Candidate) []byte {
	dst = rawjson.AppendString(append(dst, `{"provider":`...), c.Endpoint.Provider)
	return rawjson.AppendString(append(dst, `,"model":`...), c.Model.ID)
}

func (a *attempt) appendAttempts(dst []byte, attempts []wire.Attempt) []byte {
	dst = append(dst, `,"attempts":[`...)
	n := 0
	for _, made := range attempts {
		c := a.candidate(made.Endpoint)
		if c.Endpoint == nil {
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(appendPlace(dst, c), `,"status":`...), int64(made.Status), 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
