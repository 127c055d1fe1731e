package adminclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

// maxAnswer is far above the largest release.
const maxAnswer = 64 << 20

// Call performs any operation of the admin API; the client's methods are
// shorthands. If the input says how long to wait for nodes, that is on top of
// the client's timeout. The error is an *Error if the daemon refused, an
// *Unreachable if it did not answer.
func Call[In, Out any](ctx context.Context, c *Client, o adminapi.Operation[In, Out], in In) (Out, error) {
	wait := time.Duration(0)
	if w, ok := any(in).(interface{ Wait() time.Duration }); ok {
		wait = w.Wait()
	}
	return do(ctx, c, o, in, wait)
}

// do performs an operation. wait is how long the daemon may take on top of the
// client's timeout.
func do[In, Out any](ctx context.Context, c *Client, o adminapi.Operation[In, Out], in In, wait time.Duration) (Out, error) {
	var out, none Out
	encoded, err := adminapi.Encode(o.Description, in)
	if err != nil {
		return none, err
	}
	text, err := c.send(ctx, o.Method, encoded, wait)
	if err != nil {
		return none, err
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return none, fmt.Errorf("%s answered %s with something other than the JSON of the admin API: %w", c.URL(), encoded.Path, err)
	}
	adminapi.FillLists(&out)
	return out, nil
}

// send returns the body of a good answer.
func (c *Client) send(ctx context.Context, method string, in adminapi.Encoded, wait time.Duration) ([]byte, error) {
	limit := c.opts.Timeout + wait
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client := c.writing
	if method == http.MethodGet {
		client = c.reading
	}
	resp, err := c.ready(within, func() (response, error) {
		req, err := c.request(within, method, in)
		if err != nil {
			return response{}, err
		}
		return exchange(client, req)
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &Unreachable{URL: c.URL(), Cause: fmt.Sprintf("no response within %s", limit)}
	case err != nil:
		return nil, &Unreachable{URL: c.URL(), Cause: cause(err)}
	case resp.status < 200 || resp.status > 299:
		return nil, c.refusal(resp)
	}
	return resp.body, nil
}

func (c *Client) request(ctx context.Context, method string, in adminapi.Encoded) (*retryablehttp.Request, error) {
	target := c.base.JoinPath(in.Path)
	target.RawQuery = in.Query.Encode()
	var body any // stays a nil interface without a body: a typed nil would be sent
	if in.Body != nil {
		body = in.Body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	maps.Copy(req.Header, in.Header)
	c.sign(req.Header, in.Body != nil)
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
	header http.Header
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
	out := response{status: resp.StatusCode, header: resp.Header}
	if to, err := resp.Location(); err == nil {
		out.location = to
	}
	out.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return out, err
}
