package server

import (
	"context"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/wire"
)

func (s *Server) policies(_ context.Context, in adminapi.OfModel) ([]adminapi.Policy, error) {
	models, err := s.selected(in.Model)
	if err != nil {
		return nil, err
	}
	list := make([]adminapi.Policy, len(models))
	for i := range models {
		m := &models[i]
		is, configured := m.Effective(), m.Configured.Effective()
		list[i] = adminapi.Policy{
			Model: m.ID, Policy: is.Policy, Affinity: is.Affinity, ConfiguredPolicy: configured.Policy, ConfiguredAffinity: configured.Affinity,
			Override: m.Selection != m.Configured,
		}
	}
	return list, nil
}

func (s *Server) setPolicy(ctx context.Context, in adminapi.PolicyChange) (adminapi.Rollout, error) {
	done, err := s.o.Publisher.SetPolicy(ctx, changeOf(in.Change), in.Model, wire.Selection{Policy: in.Policy, Affinity: in.Affinity})
	return s.rollout(ctx, done, err, in.Change)
}

func (s *Server) resetPolicy(ctx context.Context, in adminapi.PolicyReset) (adminapi.Rollout, error) {
	done, err := s.o.Publisher.ResetPolicy(ctx, changeOf(in.Change), in.Model)
	return s.rollout(ctx, done, err, in.Change)
}

// overrides counts what operators have set in the release in service.
func overrides(release *wire.Release) (out adminapi.Overrides) {
	for i := range release.Snapshot.Models {
		m := &release.Snapshot.Models[i]
		if m.Selection != m.Configured {
			out.Policies++
		}
		for j := range m.Endpoints {
			if m.Endpoints[j].Overridden() {
				out.Weights++
			}
			if m.Endpoints[j].Disabled() {
				out.Disabled++
			}
		}
	}
	return out
}
