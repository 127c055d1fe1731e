package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/shared/wire"
)

func (s *Server) listEndpoints(_ context.Context, in adminapi.EndpointQuery) ([]adminapi.Endpoint, error) {
	models, err := s.selected(in.Model)
	if err != nil {
		return nil, err
	}
	troubles, live := s.troubles()
	var list []adminapi.Endpoint
	for i := range models {
		m := &models[i]
		for j := range m.Endpoints {
			e := &m.Endpoints[j]
			shown := adminapi.Endpoint{Model: m.ID, Endpoint: e.ID, Kind: kind(e), Weight: e.Intended(), Share: share(m, e), Nodes: troubles[e.ID]}
			shown.State = endpointState(e, shown.Nodes, live)
			if !in.Out || shown.State != adminapi.EndpointUp {
				list = append(list, shown)
			}
		}
	}
	if in.Out && in.Model == "" {
		list = append(list, s.skipped()...)
	}
	return list, nil
}

// skipped lists what the configuration files leave out because an address is not set.
func (s *Server) skipped() []adminapi.Endpoint {
	var list []adminapi.Endpoint
	for _, w := range s.o.Publisher.Skipped() {
		_, reason, _ := strings.Cut(w.Message, ": ") // endpoint skipped: NAME is not set
		why := adminapi.Trouble{State: adminapi.EndpointSkipped, Reason: reason}
		list = append(list, adminapi.Endpoint{Endpoint: fmt.Sprintf("%s:%d", w.File, w.Line), State: adminapi.EndpointSkipped, Nodes: []adminapi.Trouble{why}})
	}
	return list
}

// troubles gathers by endpoint what the live nodes say, and counts these nodes.
func (s *Server) troubles() (byEndpoint map[string][]adminapi.Trouble, live int) {
	byEndpoint = map[string][]adminapi.Trouble{}
	for _, n := range s.o.Nodes.List() {
		if n.State != nodes.Live {
			continue
		}
		live++
		for _, m := range n.Missing {
			byEndpoint[m.Endpoint] = append(byEndpoint[m.Endpoint], adminapi.Trouble{Node: n.Node, State: adminapi.MissingSecret, Reason: m.Variable + " is not set"})
		}
		for _, t := range n.Troubled {
			byEndpoint[t.Endpoint] = append(byEndpoint[t.Endpoint], adminapi.Trouble{Node: n.Node, State: t.State, Reason: t.Reason, UntilMS: t.Until, InFlight: t.InFlight})
		}
	}
	return byEndpoint, live
}

func endpointState(e *wire.Endpoint, troubles []adminapi.Trouble, live int) string {
	troubles = slices.DeleteFunc(slices.Clone(troubles), func(t adminapi.Trouble) bool { return t.State == adminapi.Unprobed })
	switch {
	case e.Disabled():
		return adminapi.EndpointDisabled
	case e.Weight == 0 && e.Shadow == 0:
		return adminapi.EndpointOff
	case len(troubles) == 0:
		return adminapi.EndpointUp
	case len(troubles) < live:
		return adminapi.EndpointPartly
	}
	return adminapi.EndpointDown
}
