package adminclient

import (
	"context"
	"net/http"
	"net/url"
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

// keysPage is how many keys the API gives at once.
const keysPage = 1000

// Keys lists all keys, revoked ones too, the newest first.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	all := []Key{}
	query := url.Values{}
	for {
		page, err := listOf[Key](ctx, c, call{method: http.MethodGet, path: "keys", query: query})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < keysPage {
			return all, nil
		}
		query.Set("after", page[len(page)-1].ID)
	}
}

// Key returns one key.
func (c *Client) Key(ctx context.Context, id string) (Key, error) {
	return fetch[Key](ctx, c, call{method: http.MethodGet, path: "keys/" + element(id)})
}
