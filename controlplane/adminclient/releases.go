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

// Releases lists releases.
func (c *Client) Releases(ctx context.Context, page Page) ([]ReleaseInfo, error) {
	return listOf[ReleaseInfo](ctx, c, call{method: http.MethodGet, path: "releases", query: page.query()})
}

// Release returns one release as nodes get it: the JSON of a wire.Release,
// complete even if the daemon is newer than this program.
func (c *Client) Release(ctx context.Context, number uint64) (json.RawMessage, error) {
	return fetch[json.RawMessage](ctx, c, call{method: http.MethodGet, path: "releases/" + strconv.FormatUint(number, 10)})
}

// Comparison is what differs between the content of two releases, in words.
type Comparison struct {
	From    uint64   `json:"from"`
	To      uint64   `json:"to"`
	Changes []string `json:"changes"`
}

// Diff compares two releases; from 0 means the one before to.
func (c *Client) Diff(ctx context.Context, from, to uint64) (Comparison, error) {
	query := url.Values{}
	if from > 0 {
		query.Set("from", strconv.FormatUint(from, 10))
	}
	out, err := fetch[Comparison](ctx, c, call{method: http.MethodGet, path: "releases/" + strconv.FormatUint(to, 10) + "/diff", query: query})
	out.Changes = orEmpty(out.Changes)
	return out, err
}

// Rollback makes a new release with the content of an old one.
func (c *Client) Rollback(ctx context.Context, number uint64, change Change) (Rollout, error) {
	path := "releases/" + strconv.FormatUint(number, 10) + "/rollback"
	return c.rollOut(ctx, call{method: http.MethodPost, path: path, body: change.body(), wait: change.Wait})
}

// Page is a part of a list, newest first.
type Page struct {
	// Limit is how many to list, 0 for the daemon's default.
	Limit int
	// Before lists what is older than the release or entry with this number; 0
	// begins with the newest.
	Before uint64
}

func (p Page) query() url.Values {
	query := url.Values{}
	if p.Limit > 0 {
		query.Set("limit", strconv.Itoa(p.Limit))
	}
	if p.Before > 0 {
		query.Set("before", strconv.FormatUint(p.Before, 10))
	}
	return query
}
