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
	// State is up, partly, down, or off for an endpoint without weight.
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
