package adminclient

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/hybridinference/gateway/shared/wire"
)

// Question is a request of which to say what would become of it.
type Question struct {
	// Request is its body, Path the API below /v1; "" is chat/completions.
	Request json.RawMessage `json:"request"`
	Path    string          `json:"path,omitempty"`
	// Key is an API key's id, "" for an anonymous administrator.
	Key string `json:"key,omitempty"`
	// Node is the one to ask, "" for any.
	Node    string            `json:"node,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

// Explain asks a node which endpoints a request would be sent to.
func (c *Client) Explain(ctx context.Context, q Question) (wire.Explanation, error) {
	return fetch[wire.Explanation](ctx, c, call{method: http.MethodPost, path: "explain", body: q})
}
