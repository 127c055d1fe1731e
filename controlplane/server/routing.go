package server

import (
	"net/http"
	"strconv"

	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/wire"
)

// current returns the release in service.
func (s *Server) current() (*wire.Release, error) {
	if r := s.o.Publisher.Current(); r != nil {
		return r, nil
	}
	if _, err := s.o.Publisher.State(); err != nil {
		return nil, problemf(http.StatusServiceUnavailable, "%s", err)
	}
	return nil, problemf(http.StatusServiceUnavailable, "there is no release yet")
}

// route is an endpoint as /admin/routing shows it.
type route struct {
	Endpoint   string   `json:"endpoint"`
	Provider   string   `json:"provider"`
	Kind       string   `json:"kind"`
	Weight     string   `json:"weight"`
	BaseURL    string   `json:"base_url"`
	Configured float64  `json:"configured"`
	Override   *float64 `json:"override"`
	Disabled   bool     `json:"disabled"`
}

func (s *Server) routing(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	release, err := s.current()
	if err != nil {
		return nil, err
	}
	routes := make(map[string][]route, len(release.Snapshot.Models))
	for i := range release.Snapshot.Models {
		m := &release.Snapshot.Models[i]
		list := make([]route, len(m.Endpoints))
		for j := range m.Endpoints {
			e := &m.Endpoints[j]
			list[j] = route{
				Endpoint: e.ID, Provider: e.Provider, Kind: kind(e), Weight: share(m, e), BaseURL: e.BaseURL, Configured: e.Configured,
			}
			if weight := e.Intended(); e.Overridden() {
				list[j].Override = &weight
			}
			list[j].Disabled = e.Disabled()
		}
		routes[m.ID] = list
	}
	return map[string]any{"release": release.Number, "routes": routes}, nil
}

func kind(e *wire.Endpoint) string {
	if e.Slug != "" {
		return e.Kind + "[" + e.Slug + "]"
	}
	return e.Kind
}

// share is the endpoint's part of the model's traffic while all are healthy.
func share(m *wire.Model, e *wire.Endpoint) string {
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

// weight is an endpoint as /admin/weights shows it. A disabled one has the
// weight that it gets back, and no share.
type weight struct {
	Model      string  `json:"model"`
	Endpoint   string  `json:"endpoint"`
	Weight     float64 `json:"weight"`
	Share      string  `json:"share"`
	Configured float64 `json:"configured"`
	Override   bool    `json:"override"`
	Disabled   bool    `json:"disabled"`
}

func (s *Server) weights(r *http.Request) (any, error) {
	query, err := params(r, "model")
	if err != nil {
		return nil, err
	}
	models, err := s.selected(query["model"])
	if err != nil {
		return nil, err
	}
	list := []weight{}
	for i := range models {
		m := &models[i]
		for j := range m.Endpoints {
			e := &m.Endpoints[j]
			list = append(list, weight{m.ID, e.ID, e.Intended(), share(m, e), e.Configured, e.Overridden(), e.Disabled()})
		}
	}
	return list, nil
}

// model is a model as /admin/models shows it.
type model struct {
	Model         string `json:"model"`
	Name          string `json:"name"`
	Type          string `json:"type"`
	Endpoints     int    `json:"endpoints"`
	Role          string `json:"role"`
	ContextLength int    `json:"context_length"`
	// Prompt and Completion are USD per million tokens.
	Prompt     string `json:"prompt"`
	Completion string `json:"completion"`
}

func (s *Server) models(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	release, err := s.current()
	if err != nil {
		return nil, err
	}
	list := make([]model, len(release.Snapshot.Models))
	for i := range list {
		m := &release.Snapshot.Models[i]
		list[i] = model{m.ID, m.Name, m.Type, len(m.Endpoints), m.RequiredRole, m.ContextLength, price(m.Pricing.Prompt), price(m.Pricing.Completion)}
	}
	return list, nil
}

func price(text string) string {
	if text == "" {
		return "0"
	}
	return text
}
