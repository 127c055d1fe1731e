package adminclient

import (
	"context"
	"net/http"
	"time"
)

// KeyChange are the fields that changes of keys take.
type KeyChange struct {
	// Reason goes to the audit log; may be empty.
	Reason string
	// Wait is how long the daemon waits for all live nodes, nil for its default.
	Wait *time.Duration
}

// span is the Wait, 0 for none.
func (c KeyChange) span() time.Duration {
	if c.Wait == nil {
		return 0
	}
	return *c.Wait
}

// keyChangeBody is a KeyChange as the API takes it.
type keyChangeBody struct {
	Reason string `json:"reason,omitempty"`
	WaitMS *int64 `json:"wait_ms,omitempty"`
}

func (c KeyChange) body() keyChangeBody {
	out := keyChangeBody{Reason: c.Reason}
	if c.Wait != nil {
		ms := c.Wait.Milliseconds()
		out.WaitMS = &ms
	}
	return out
}

// KeySpec is a key to be made.
type KeySpec struct {
	Name string `json:"name"`
	// User is Name if empty, Role the least one.
	User string `json:"user,omitempty"`
	Role string `json:"role,omitempty"`
	// Models are the only ones allowed; none means all that the role may use.
	Models []string `json:"models,omitempty"`
	// Expires is an age such as 30d, a time in RFC 3339, or "" for never.
	Expires string `json:"expires,omitempty"`
}

// NewKey is a key that was just made. Plaintext is known here and never again.
type NewKey struct {
	Plaintext string       `json:"key"`
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	User      string       `json:"user"`
	Role      string       `json:"role"`
	Models    []string     `json:"models"`
	Created   time.Time    `json:"created"`
	Expires   *time.Time   `json:"expires"`
	Prefix    string       `json:"prefix"`
	Nodes     []NodeResult `json:"nodes"`
}

// CreateKey makes a key.
func (c *Client) CreateKey(ctx context.Context, spec KeySpec, change KeyChange) (NewKey, error) {
	body := struct {
		KeySpec
		keyChangeBody
	}{spec, change.body()}
	out, err := fetch[NewKey](ctx, c, call{method: http.MethodPost, path: "keys", body: body, wait: change.span()})
	out.Models, out.Nodes = orEmpty(out.Models), orEmpty(out.Nodes)
	return out, err
}

// KeyUpdate is what to change of a key; nil leaves a part as it is.
type KeyUpdate struct {
	Name   *string   `json:"name,omitempty"`
	User   *string   `json:"user,omitempty"`
	Role   *string   `json:"role,omitempty"`
	Models *[]string `json:"models,omitempty"`
	// Expires is as in KeySpec, "never" for never.
	Expires *string `json:"expires,omitempty"`
}

// UpdatedKey is a key after a change, and what the nodes did with it.
type UpdatedKey struct {
	Key
	Nodes []NodeResult `json:"nodes"`
}

// UpdateKey changes a key; its text stays.
func (c *Client) UpdateKey(ctx context.Context, id string, update KeyUpdate, change KeyChange) (UpdatedKey, error) {
	body := struct {
		KeyUpdate
		keyChangeBody
	}{update, change.body()}
	out, err := fetch[UpdatedKey](ctx, c, call{method: http.MethodPatch, path: "keys/" + element(id), body: body, wait: change.span()})
	out.Models, out.Nodes = orEmpty(out.Models), orEmpty(out.Nodes)
	return out, err
}

// RevokedKey is a key that was ended.
type RevokedKey struct {
	ID      string       `json:"id"`
	Revoked time.Time    `json:"revoked"`
	Nodes   []NodeResult `json:"nodes"`
}

// RevokeKey ends a key; doing it once more changes nothing.
func (c *Client) RevokeKey(ctx context.Context, id string, change KeyChange) (RevokedKey, error) {
	out, err := fetch[RevokedKey](ctx, c, call{method: http.MethodDelete, path: "keys/" + element(id), body: change.body(), wait: change.span()})
	out.Nodes = orEmpty(out.Nodes)
	return out, err
}

// RotatedKey is a key that was made in the place of another one.
type RotatedKey struct {
	NewKey
	// Replaces is the old key, with the moment at which it ends.
	Replaces Key `json:"replaces"`
}

// RotateKey makes a key like another one, which ends after overlap, a span
// such as 24h or 7d; "" is the daemon's default of 24h, 0s at once.
func (c *Client) RotateKey(ctx context.Context, id, overlap string, change KeyChange) (RotatedKey, error) {
	body := struct {
		Overlap string `json:"overlap,omitempty"`
		keyChangeBody
	}{overlap, change.body()}
	out, err := fetch[RotatedKey](ctx, c, call{method: http.MethodPost, path: "keys/" + element(id) + "/rotate", body: body, wait: change.span()})
	out.Models, out.Nodes, out.Replaces.Models = orEmpty(out.Models), orEmpty(out.Nodes), orEmpty(out.Replaces.Models)
	return out, err
}

// ImportedKey is a key that is known by its hash.
type ImportedKey struct {
	// Hash is HMAC-SHA256(key, API_KEY_SECRET), 64 hex digits.
	Hash string `json:"hash"`
	// Prefix is the beginning of the key, to recognize it by; may be empty.
	Prefix  string   `json:"prefix,omitempty"`
	Name    string   `json:"name,omitempty"`
	User    string   `json:"user,omitempty"`
	Role    string   `json:"role,omitempty"`
	Models  []string `json:"models,omitempty"`
	Expires string   `json:"expires,omitempty"`
}

// Import is what became of imported keys.
type Import struct {
	// Imported are new, Known were there and stay as they are.
	Imported int          `json:"imported"`
	Known    int          `json:"known"`
	Nodes    []NodeResult `json:"nodes"`
}

// ImportKeys stores up to 5,000 keys, all or none.
func (c *Client) ImportKeys(ctx context.Context, list []ImportedKey, change KeyChange) (Import, error) {
	body := struct {
		Keys []ImportedKey `json:"keys"`
		keyChangeBody
	}{list, change.body()}
	out, err := fetch[Import](ctx, c, call{method: http.MethodPost, path: "keys/import", body: body, wait: change.span()})
	out.Nodes = orEmpty(out.Nodes)
	return out, err
}
