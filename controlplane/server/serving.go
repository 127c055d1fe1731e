package server

import (
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/wire"
)

// outOfService are the states in which a node sends an endpoint no requests, or
// only a probe.
func outOfService(state string) bool {
	return slices.Contains([]string{"open", "half_open", "cooling", "probe_failed", adminapi.MissingSecret}, state)
}

// serving is each endpoint's part of the model's traffic at present, in whole
// percent by endpoint id: at every live node the endpoints that are down there
// leave theirs to the others. It is empty without a live node.
func serving(m *wire.Model, troubles map[string][]adminapi.Trouble, live int) map[string]string {
	if live == 0 {
		return nil
	}
	down := map[string][]string{} // endpoints by node
	for i := range m.Endpoints {
		for _, t := range troubles[m.Endpoints[i].ID] {
			if outOfService(t.State) {
				down[t.Node] = append(down[t.Node], m.Endpoints[i].ID)
			}
		}
	}
	parts := map[string]float64{}
	addParts(parts, m, nil, live-len(down))
	for _, out := range down {
		addParts(parts, m, out, 1)
	}
	shares := make(map[string]string, len(m.Endpoints))
	for i := range m.Endpoints {
		id := m.Endpoints[i].ID
		shares[id] = strconv.FormatFloat(100*parts[id]/float64(live), 'f', 0, 64) + "%"
	}
	return shares
}

// addParts adds what each endpoint gets of the traffic of so many nodes at
// which some are out.
func addParts(parts map[string]float64, m *wire.Model, out []string, nodes int) {
	total := 0.0
	for i := range m.Endpoints {
		if e := &m.Endpoints[i]; !slices.Contains(out, e.ID) {
			total += e.Weight
		}
	}
	for i := range m.Endpoints {
		if e := &m.Endpoints[i]; total > 0 && !slices.Contains(out, e.ID) {
			parts[e.ID] += float64(nodes) * e.Weight / total
		}
	}
}

// served counts the models and endpoints that get requests at some live node.
func (s *Server) served(models []wire.Model) (out adminapi.Served) {
	troubles, live := s.troubles()
	for i := range models {
		shares := serving(&models[i], troubles, live)
		some := false
		for j := range models[i].Endpoints {
			e := &models[i].Endpoints[j]
			state := endpointState(e, troubles[e.ID], live)
			if shares[e.ID] != "" && (state == adminapi.EndpointUp || state == adminapi.EndpointPartly) {
				out.Endpoints++
				some = true
			}
		}
		if some {
			out.Models++
		}
	}
	return out
}
