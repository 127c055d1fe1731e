package adminclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ReleaseInfo is a release without its content.
type ReleaseInfo struct {
	Release uint64    `json:"release"`
	Time    time.Time `json:"time"`
	Author  string    `json:"author"`
	Reason  string    `json:"reason"`
	// Hash is that of the content: equal hashes route alike.
	Hash    string `json:"hash"`
	Models  int    `json:"models"`
	Current bool   `json:"current"`
}

// Releases lists the newest releases first; limit 0 takes the daemon's default.
func (c *Client) Releases(ctx context.Context, limit int) ([]ReleaseInfo, error) {
	return listOf[ReleaseInfo](ctx, c, call{method: http.MethodGet, path: "releases", query: limited(limit)})
}

// Release returns one release as nodes get it: the JSON of a wire.Release,
// complete even if the daemon is newer than this program.
func (c *Client) Release(ctx context.Context, number uint64) (json.RawMessage, error) {
	return fetch[json.RawMessage](ctx, c, call{method: http.MethodGet, path: "releases/" + strconv.FormatUint(number, 10)})
}

// RollbackRequest makes a new release with the content of an old one.
type RollbackRequest struct {
	Release uint64
	Reason  string
	Wait    time.Duration
}

// Rollback goes back to an old release's content.
func (c *Client) Rollback(ctx context.Context, r RollbackRequest) (Rollout, error) {
	body := struct {
		Reason string `json:"reason"`
		WaitMS int64  `json:"wait_ms"`
	}{r.Reason, r.Wait.Milliseconds()}
	path := "releases/" + strconv.FormatUint(r.Release, 10) + "/rollback"
	return c.rollOut(ctx, call{method: http.MethodPost, path: path, body: body, wait: r.Wait})
}

func limited(limit int) url.Values {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return query
}
