package adminclient

import (
	"context"
	"net/http"
	"net/url"
)

// Endpoint is an endpoint with its state over the live nodes.
type Endpoint struct {
	Model    string  `json:"model"`
	Endpoint string  `json:"endpoint"`
	Kind     string  `json:"kind"`
	Weight   float64 `json:"weight"`
	// Share is the weight among those of the model, in whole percent: "70%".
	Share string `json:"share"`
	// State is up, partly, down, off for an endpoint without weight, or
	// disabled for one that an operator took out of service.
	State string `json:"state"`
	// Nodes are those that are not content with it.
	Nodes []Trouble `json:"nodes"`
}

// Trouble is what a node finds wrong with an endpoint.
type Trouble struct {
	Node string `json:"node"`
	// State is open, half_open, cooling, probe_failed, full or missing_secret.
	State  string `json:"state"`
	Reason string `json:"reason"`
	// UntilMS is when it is tried again, milliseconds since 1970, 0 if that is
	// not known.
	UntilMS  int64 `json:"until_ms"`
	InFlight int64 `json:"in_flight"`
}

// Endpoints lists the endpoints of one model, or of all for "".
func (c *Client) Endpoints(ctx context.Context, model string) ([]Endpoint, error) {
	query := url.Values{}
	if model != "" {
		query.Set("model", model)
	}
	return listOf[Endpoint](ctx, c, call{method: http.MethodGet, path: "endpoints", query: query})
}

// EndpointSwitch takes endpoints out of service, or puts them back.
type EndpointSwitch struct {
	Change
	// Endpoints are whole ids.
	Endpoints []string
}

// DisableEndpoints takes endpoints out of service; they keep their weights.
func (c *Client) DisableEndpoints(ctx context.Context, change EndpointSwitch) (Rollout, error) {
	return c.switchEndpoints(ctx, "endpoints/disable", change)
}

// EnableEndpoints puts endpoints back into service.
func (c *Client) EnableEndpoints(ctx context.Context, change EndpointSwitch) (Rollout, error) {
	return c.switchEndpoints(ctx, "endpoints/enable", change)
}

func (c *Client) switchEndpoints(ctx context.Context, path string, change EndpointSwitch) (Rollout, error) {
	body := struct {
		Endpoints []string `json:"endpoints"`
		changeBody
	}{change.Endpoints, change.body()}
	return c.rollOut(ctx, call{method: http.MethodPost, path: path, body: body, wait: change.Wait})
}
