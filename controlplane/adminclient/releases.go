package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
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
	out := []ReleaseInfo{}
	return out, c.do(ctx, call{method: http.MethodGet, path: "releases", query: limited(limit)}, &out)
}

// Release returns one release with its content.
func (c *Client) Release(ctx context.Context, number uint64) (wire.Release, error) {
	var out wire.Release
	return out, c.do(ctx, call{method: http.MethodGet, path: "releases/" + strconv.FormatUint(number, 10)}, &out)
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
	out := Rollout{Nodes: []NodeResult{}}
	path := "releases/" + strconv.FormatUint(r.Release, 10) + "/rollback"
	return out, c.do(ctx, call{method: http.MethodPost, path: path, body: body, wait: r.Wait}, &out)
}

func limited(limit int) url.Values {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return query
}
