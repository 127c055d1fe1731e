// Package catalog is what clients see of a release: models, their endpoints
// and the providers behind them, as the pages of GET models, providers and
// routing. A catalog is built with its snapshot and belongs to it; nothing in
// it changes afterwards, except what is measured of endpoints.
package catalog

import (
	"fmt"
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// Catalog holds the pages that do not depend on a query.
type Catalog struct {
	lists   [][]byte
	routing []byte
}

// New renders the pages for each audience, which is the models that it may see:
// GET models, and the public GET routing for the first.
func New(release uint64, audiences [][]*Model) *Catalog {
	c := &Catalog{routing: routing(release, audiences[0]), lists: make([][]byte, len(audiences))}
	var before []*Model
	for i, audience := range audiences {
		visible := texts(audience)
		if i > 0 && slices.Equal(visible, before) {
			c.lists[i] = c.lists[i-1]
			continue
		}
		size := 64
		for _, m := range visible {
			size += len(m.JSON) + 1
		}
		c.lists[i] = appendPage(make([]byte, 0, size), visible, len(visible), "")
		before = visible
	}
	return c
}

// List is the answer to GET models for an audience.
func (c *Catalog) List(audience int) []byte { return c.lists[audience] }

// Routing is the answer to GET routing.
func (c *Catalog) Routing() []byte { return c.routing }

// Model is a model as clients see it.
type Model struct {
	*wire.Model
	// Outputs are the output modalities; embedding models have their own.
	Outputs []string
	// Parameters are the names of what every endpoint is advertised to take.
	Parameters []string
	// Price is the advertised one.
	Price *price.List
	// Group is the family of the model's tokenizer in OpenRouter's words.
	Group string
	// Endpoints are those in service.
	Endpoints []*Endpoint
	// JSON is the model's object in GET models, page the beginning of GET
	// models/{id}/endpoints, up to the endpoints.
	JSON, page []byte
}

// Endpoint is an endpoint as clients see it.
type Endpoint struct {
	*wire.Endpoint
	State *upstream.State
	// Slugs are what clients may call the endpoint by.
	Slugs []string
	// Parameters are the names of what the endpoint is advertised to take.
	Parameters []string
	// json is the endpoint's object in GET models/{id}/endpoints without what
	// is measured and without its closing brace.
	json []byte
}

// NewModel describes a model by its endpoints in service.
func NewModel(w *wire.Model, endpoints []*Endpoint) (*Model, error) {
	m := &Model{Model: w, Outputs: w.OutputModalities, Group: groupOf(w.ID, w.Name), Endpoints: endpoints, Parameters: common(endpoints)}
	if w.Type == "embedding" {
		m.Outputs = []string{"embeddings"}
	}
	var err error
	if m.Price, err = price.New(w.Pricing); err != nil {
		return nil, err
	}
	if m.JSON, err = modelJSON(m); err != nil {
		return nil, err
	}
	if m.page, err = pageJSON(m); err != nil {
		return nil, err
	}
	return m, nil
}

// NewEndpoint describes an endpoint of a model: takes are the parameters that
// reach its upstream, choice the values of tool_choice.
func NewEndpoint(m *wire.Model, w *wire.Endpoint, state *upstream.State, takes chat.ParamSet, choice ToolChoice) (*Endpoint, error) {
	e := &Endpoint{Endpoint: w, State: state, Slugs: slugs(m, w), Parameters: advertised(m, takes)}
	var err error
	if e.json, err = endpointJSON(m, e, choice); err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", w.ID, err)
	}
	return e, nil
}

// Reweighted is the endpoint of a release that changes nothing but its weight.
func (e *Endpoint) Reweighted(w *wire.Endpoint) *Endpoint {
	out := *e
	out.Endpoint = w
	return &out
}

// Named reports whether slug, in the form of Slug, means the endpoint.
func (e *Endpoint) Named(slug string) bool { return slices.Contains(e.Slugs, slug) }

// Answers reports whether the model's output may be of that modality.
func (m *Model) Answers(modality string) bool { return slices.Contains(m.Outputs, modality) }

// texts returns the models that answer with text.
func texts(models []*Model) []*Model {
	var out []*Model
	for _, m := range models {
		if m.Answers("text") {
			out = append(out, m)
		}
	}
	return out
}
