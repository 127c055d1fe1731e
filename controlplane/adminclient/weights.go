package adminclient

import (
	"context"
	"net/http"
	"net/url"
)

// Weight is the weight of one endpoint.
type Weight struct {
	Model    string  `json:"model"`
	Endpoint string  `json:"endpoint"`
	Weight   float64 `json:"weight"`
	// Share is the weight among those of the model, in whole percent: "70%".
	Share string `json:"share"`
	// Configured is the weight of the files.
	Configured float64 `json:"configured"`
	// Override is set when an operator's weight replaces the configured one.
	Override bool `json:"override"`
	// Disabled is set while an operator has taken the endpoint out of service;
	// Weight is what it gets back.
	Disabled bool `json:"disabled"`
}

// Weights lists the weights of one model, or of all for "".
func (c *Client) Weights(ctx context.Context, model string) ([]Weight, error) {
	query := url.Values{}
	if model != "" {
		query.Set("model", model)
	}
	return listOf[Weight](ctx, c, call{method: http.MethodGet, path: "weights", query: query})
}

// WeightChange sets weights of one model.
type WeightChange struct {
	Change
	Model string
	// Weights are by endpoint id, or the part of it after the colon.
	Weights map[string]float64
}

// SetWeights overrides the configured weights.
func (c *Client) SetWeights(ctx context.Context, change WeightChange) (Rollout, error) {
	body := struct {
		Model   string             `json:"model"`
		Weights map[string]float64 `json:"weights"`
		changeBody
	}{change.Model, change.Weights, change.body()}
	return c.rollOut(ctx, call{method: http.MethodPut, path: "weights", body: body, wait: change.Wait})
}

// WeightReset drops the overrides of one model, or of all for "".
type WeightReset struct {
	Change
	Model string
}

// ResetWeights returns to the configured weights.
func (c *Client) ResetWeights(ctx context.Context, reset WeightReset) (Rollout, error) {
	body := struct {
		Model string `json:"model"`
		changeBody
	}{reset.Model, reset.body()}
	return c.rollOut(ctx, call{method: http.MethodDelete, path: "weights", body: body, wait: reset.Wait})
}
