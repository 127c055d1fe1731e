package server

import (
	"context"
	"net/http"

	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/wire"
)

// endpoint is an endpoint of the release in service as /admin/endpoints shows
// it: with what each live node that is not content with it says.
type endpoint struct {
	Model    string    `json:"model"`
	Endpoint string    `json:"endpoint"`
	Kind     string    `json:"kind"`
	Weight   float64   `json:"weight"`
	Share    string    `json:"share"`
	State    string    `json:"state"`
	Nodes    []trouble `json:"nodes"`
}

// trouble is what one node finds wrong. Until is when the endpoint is tried
// again there, milliseconds since 1970, 0 if that is not known.
type trouble struct {
	Node     string `json:"node"`
	State    string `json:"state"`
	Reason   string `json:"reason"`
	Until    int64  `json:"until_ms"`
	InFlight int64  `json:"in_flight"`
}

// The states of an endpoint, over all live nodes.
const (
	endpointUp       = "up"       // at all of them
	endpointPartly   = "partly"   // at some
	endpointDown     = "down"     // at none
	endpointOff      = "off"      // it has no weight
	endpointDisabled = "disabled" // an operator took it out
)

func (s *Server) endpoints(r *http.Request) (any, error) {
	query, err := params(r, "model")
	if err != nil {
		return nil, err
	}
	models, err := s.selected(query["model"])
	if err != nil {
		return nil, err
	}
	troubles, live := s.troubles()
	list := []endpoint{}
	for i := range models {
		m := &models[i]
		for j := range m.Endpoints {
			e := &m.Endpoints[j]
			shown := endpoint{Model: m.ID, Endpoint: e.ID, Kind: kind(e), Weight: e.Intended(), Share: share(m, e), Nodes: troubles[e.ID]}
			if shown.Nodes == nil {
				shown.Nodes = []trouble{}
			}
			shown.State = endpointState(e, shown.Nodes, live)
			list = append(list, shown)
		}
	}
	return list, nil
}

// troubles gathers by endpoint what the live nodes say, and counts these nodes.
func (s *Server) troubles() (byEndpoint map[string][]trouble, live int) {
	byEndpoint = map[string][]trouble{}
	for _, n := range s.o.Nodes.List() {
		if n.State != nodes.Live {
			continue
		}
		live++
		for _, m := range n.Missing {
			byEndpoint[m.Endpoint] = append(byEndpoint[m.Endpoint], trouble{Node: n.Node, State: "missing_secret", Reason: m.Variable + " is not set"})
		}
		for _, t := range n.Troubled {
			byEndpoint[t.Endpoint] = append(byEndpoint[t.Endpoint], trouble{Node: n.Node, State: t.State, Reason: t.Reason, Until: t.Until, InFlight: t.InFlight})
		}
	}
	return byEndpoint, live
}

func endpointState(e *wire.Endpoint, troubles []trouble, live int) string {
	switch {
	case e.Disabled():
		return endpointDisabled
	case e.Weight == 0:
		return endpointOff
	case len(troubles) == 0:
		return endpointUp
	case len(troubles) < live:
		return endpointPartly
	}
	return endpointDown
}

func (s *Server) disableEndpoints(r *http.Request) (any, error) {
	return s.switchEndpoints(r, s.o.Publisher.DisableEndpoints)
}

func (s *Server) enableEndpoints(r *http.Request) (any, error) {
	return s.switchEndpoints(r, s.o.Publisher.EnableEndpoints)
}

func (s *Server) switchEndpoints(r *http.Request, change func(context.Context, publish.Change, []string) (publish.Result, error)) (any, error) {
	var in struct {
		common
		Endpoints []string `json:"endpoints"`
	}
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, err := in.change(r)
	if err != nil {
		return nil, err
	}
	done, err := change(r.Context(), c, in.Endpoints)
	if err != nil {
		return nil, err
	}
	return s.rollout(r, done, in.WaitMS), nil
}
