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

// KeySpec is a key to be made.
type KeySpec struct {
	Name   string   `json:"name"`
	User   string   `json:"user"`
	Role   string   `json:"role"`
	Models []string `json:"models"`
	// Expires is an age such as 30d, a time in RFC 3339, or "" for never.
	Expires string `json:"expires"`
}

// NewKey is a key that was just made. Plaintext is known here and never again.
type NewKey struct {
	Plaintext string     `json:"key"`
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	User      string     `json:"user"`
	Role      string     `json:"role"`
	Models    []string   `json:"models"`
	Created   time.Time  `json:"created"`
	Expires   *time.Time `json:"expires"`
	Prefix    string     `json:"prefix"`
}

// CreateKey makes a key.
func (c *Client) CreateKey(ctx context.Context, spec KeySpec) (NewKey, error) {
	if spec.Models == nil {
		spec.Models = []string{}
	}
	return fetch[NewKey](ctx, c, call{method: http.MethodPost, path: "keys", body: spec})
}

// RevokedKey is a key that no node accepts any more.
type RevokedKey struct {
	ID      string    `json:"id"`
	Revoked time.Time `json:"revoked"`
}

// RevokeKey ends a key; reason may be empty.
func (c *Client) RevokeKey(ctx context.Context, id, reason string) (RevokedKey, error) {
	body := struct {
		Reason string `json:"reason,omitempty"`
	}{reason}
	return fetch[RevokedKey](ctx, c, call{method: http.MethodDelete, path: "keys/" + element(id), body: body})
}
