package adminclient

import (
	"context"
	"net/http"
)

// Model is one model of the release in service. Prices are decimal text, USD
// per million tokens.
type Model struct {
	Model         string `json:"model"`
	Name          string `json:"name"`
	Type          string `json:"type"`
	Endpoints     int    `json:"endpoints"`
	Role          string `json:"role"`
	ContextLength int    `json:"context_length"`
	Prompt        string `json:"prompt"`
	Completion    string `json:"completion"`
}

// Models lists the models.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	return listOf[Model](ctx, c, call{method: http.MethodGet, path: "models"})
}

// Routing is where the requests for each model go.
type Routing struct {
	Release uint64             `json:"release"`
	Routes  map[string][]Route `json:"routes"`
}

// Route is one endpoint of a model.
type Route struct {
	Endpoint string `json:"endpoint"`
	Provider string `json:"provider"`
	Kind     string `json:"kind"`
	// Weight is the endpoint's share in whole percent, such as "70%".
	Weight  string `json:"weight"`
	BaseURL string `json:"base_url"`
	// Configured is the weight of the files, Override the operators', nil if
	// there is none.
	Configured float64  `json:"configured"`
	Override   *float64 `json:"override"`
}

// Routing returns every route.
func (c *Client) Routing(ctx context.Context) (Routing, error) {
	return fetch[Routing](ctx, c, call{method: http.MethodGet, path: "routing"})
}
