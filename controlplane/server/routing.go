package server

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/wire"
)

// current returns the release in service.
func (s *Server) current() (*wire.Release, error) {
	if r := s.o.Publisher.Current(); r != nil {
		return r, nil
	}
	if _, err := s.o.Publisher.State(); err != nil {
		return nil, err
	}
	return nil, problemf(http.StatusServiceUnavailable, "no release yet")
}

func (s *Server) routing(context.Context, adminapi.None) (adminapi.Routing, error) {
	release, err := s.current()
	if err != nil {
		return adminapi.Routing{}, err
	}
	routes := make(map[string][]adminapi.Route, len(release.Snapshot.Models))
	for i := range release.Snapshot.Models {
		m := &release.Snapshot.Models[i]
		list := make([]adminapi.Route, len(m.Endpoints))
		for j := range m.Endpoints {
			e := &m.Endpoints[j]
			list[j] = adminapi.Route{
				Endpoint: e.ID, Provider: e.Provider, Kind: kind(e), Weight: share(m, e), BaseURL: e.BaseURL, Configured: e.Configured,
			}
			if weight := e.Intended(); e.Overridden() {
				list[j].Override = &weight
			}
			list[j].Disabled = e.Disabled()
		}
		routes[m.ID] = list
	}
	return adminapi.Routing{Release: release.Number, Routes: routes}, nil
}

func kind(e *wire.Endpoint) string {
	if e.Slug != "" {
		return e.Kind + "[" + e.Slug + "]"
	}
	return e.Kind
}

// share is the endpoint's part of the model's traffic while all are healthy, or of
// its requests that it gets copies of.
func share(m *wire.Model, e *wire.Endpoint) string {
	if e.Shadow > 0 {
		return "shadow " + compile.Share(e.Shadow)
	}
	sum := 0.0
	for i := range m.Endpoints {
		sum += m.Endpoints[i].Weight
	}
	if sum == 0 {
		return "0%"
	}
	return strconv.FormatFloat(100*e.Weight/sum, 'f', 0, 64) + "%"
}

// selected returns the model of that name or alias in the release in service,
// all of them for "".
func (s *Server) selected(name string) ([]wire.Model, error) {
	release, err := s.current()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return release.Snapshot.Models, nil
	}
	m, err := publish.FindModel(&release.Snapshot, name)
	if err != nil {
		return nil, problemf(http.StatusNotFound, "%s", err)
	}
	return []wire.Model{*m}, nil
}

func (s *Server) weights(_ context.Context, in adminapi.OfModel) ([]adminapi.Weight, error) {
	models, err := s.selected(in.Model)
	if err != nil {
		return nil, err
	}
	troubles, live := s.troubles()
	rollouts := map[string]string{}
	for _, r := range s.o.Publisher.Rollouts() {
		rollouts[r.Endpoint] = r.State
	}
	var list []adminapi.Weight
	for i := range models {
		m := &models[i]
		shares := serving(m, troubles, live)
		for j := range m.Endpoints {
			e := &m.Endpoints[j]
			list = append(list, adminapi.Weight{
				Rollout: rollouts[e.ID],
				Model:   m.ID, Endpoint: e.ID, Weight: e.Intended(), Share: share(m, e), Serving: shares[e.ID],
				State: endpointState(e, troubles[e.ID], live), Configured: e.Configured, Override: e.Overridden(), Disabled: e.Disabled(),
			})
		}
	}
	return list, nil
}

func (s *Server) models(context.Context, adminapi.None) ([]adminapi.Model, error) {
	release, err := s.current()
	if err != nil {
		return nil, err
	}
	list := make([]adminapi.Model, len(release.Snapshot.Models))
	for i := range list {
		m := &release.Snapshot.Models[i]
		list[i] = adminapi.Model{
			Model: m.ID, Name: m.Name, Type: m.Type, Endpoints: len(m.Endpoints), Role: m.RequiredRole, ContextLength: m.ContextLength,
			Prompt: priceText(m.Pricing.Prompt), Completion: priceText(m.Pricing.Completion),
		}
	}
	return list, nil
}

// priceText is "unknown" where there is none.
func priceText(text string) string { return cmp.Or(text, "unknown") }
