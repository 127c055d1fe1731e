package adminclient

import (
	"context"
	"net/http"
)

// Application asks the daemon to bring configuration files to the nodes.
type Application struct {
	Change
	// DryRun only tells what would change.
	DryRun bool
	// Models and Routing are the texts of the files; "" means the file that the
	// daemon itself reads.
	Models  string
	Routing string
}

// ApplyResult is what an Application changed, or would change.
type ApplyResult struct {
	Release  uint64       `json:"release"`
	Changed  bool         `json:"changed"`
	Changes  []string     `json:"changes"`
	Warnings []string     `json:"warnings"`
	Nodes    []NodeResult `json:"nodes"`
}

// Apply compiles the files and publishes what came of it. Broken files are an
// *Error with Problems and change nothing.
func (c *Client) Apply(ctx context.Context, a Application) (ApplyResult, error) {
	body := struct {
		DryRun bool `json:"dry_run"`
		changeBody
		Models  string `json:"models_yaml,omitempty"`
		Routing string `json:"routing_yaml,omitempty"`
	}{a.DryRun, a.body(), a.Models, a.Routing}
	out, err := fetch[ApplyResult](ctx, c, call{method: http.MethodPost, path: "apply", body: body, wait: a.Wait})
	out.Changes, out.Warnings, out.Nodes = orEmpty(out.Changes), orEmpty(out.Warnings), orEmpty(out.Nodes)
	return out, err
}
