package adminclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// maxAnswer is far above the largest release.
const maxAnswer = 64 << 20

// call is one request of the admin API.
type call struct {
	method string
	// path follows /admin/, each element escaped.
	path  string
	query url.Values
	body  any
	// wait is how long the daemon may take on top of the client's timeout.
	wait time.Duration
}

// do sends the call and decodes a good answer into out. The error is an *Error
// if the daemon answered otherwise, an *Unreachable if nobody did.
func (c *Client) do(ctx context.Context, in call, out any) error {
	limit := c.opts.Timeout + in.wait
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := c.request(within, in)
	if err != nil {
		return err
	}
	client := c.writing
	if in.method == http.MethodGet {
		client = c.reading
	}
	resp, err := exchange(client, req)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return &Unreachable{URL: c.URL(), Cause: fmt.Sprintf("no answer within %s", limit)}
	case err != nil:
		return &Unreachable{URL: c.URL(), Cause: cause(err)}
	case resp.status < 200 || resp.status > 299:
		return c.refusal(resp)
	}
	if err := json.Unmarshal(resp.body, out); err != nil {
		return fmt.Errorf("%s answered /admin/%s with something else than the admin API's JSON: %w", c.URL(), in.path, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, in call) (*retryablehttp.Request, error) {
	target := c.base.JoinPath("admin", in.path)
	target.RawQuery = in.query.Encode()
	var body any // stays a nil interface without a body: a typed nil would be sent
	if in.body != nil {
		text, err := json.Marshal(in.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = text
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, in.method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	c.sign(req.Header, in.body != nil)
	return req, nil
}

func (c *Client) sign(header http.Header, withBody bool) {
	header.Set("Accept", "application/json")
	if withBody {
		header.Set("Content-Type", "application/json")
	}
	if !c.opts.Token.Empty() {
		header.Set("Authorization", "Bearer "+c.opts.Token.Reveal())
	}
	if c.opts.Author != "" {
		header.Set("X-Gateway-Author", c.opts.Author)
	}
	if c.opts.UserAgent != "" {
		header.Set("User-Agent", c.opts.UserAgent)
	}
}

// response is an answer that was read to its end.
type response struct {
	status int
	body   []byte
	// location is where a redirect points, nil for none.
	location *url.URL
}

func exchange(client *retryablehttp.Client, req *retryablehttp.Request) (response, error) {
	resp, err := client.Do(req)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or the error is told
	out := response{status: resp.StatusCode}
	if to, err := resp.Location(); err == nil {
		out.location = to
	}
	out.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return out, err
}

// fetch sends a call and returns its answer.
func fetch[T any](ctx context.Context, c *Client, in call) (T, error) {
	var out T
	err := c.do(ctx, in, &out)
	return out, err
}

// listOf sends a call whose answer is an array; there is no nil one.
func listOf[T any](ctx context.Context, c *Client, in call) ([]T, error) {
	out, err := fetch[[]T](ctx, c, in)
	return orEmpty(out), err
}

// orEmpty keeps null out of what is printed as JSON later.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// element escapes an id for a path, also one that would be taken for a folder.
func element(id string) string {
	if id == "." || id == ".." {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}
