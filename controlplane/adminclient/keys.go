package adminclient

import (
	"context"
	"net/http"
	"time"
)

// Key is an API key without its text.
type Key struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	User string `json:"user"`
	Role string `json:"role"`
	// Models are the only ones allowed; none means all that the role may use.
	Models  []string   `json:"models"`
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires"`
	Revoked *time.Time `json:"revoked"`
	// Prefix is the beginning of the key, to recognize it by.
	Prefix string `json:"prefix"`
}

// Keys lists all keys, revoked ones too.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	return listOf[Key](ctx, c, call{method: http.MethodGet, path: "keys"})
}

// Key returns one key.
func (c *Client) Key(ctx context.Context, id string) (Key, error) {
	return fetch[Key](ctx, c, call{method: http.MethodGet, path: "keys/" + element(id)})
}
