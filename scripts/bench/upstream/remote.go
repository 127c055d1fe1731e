package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Remote scripts a Server in another process.
type Remote struct {
	// ControlURL is the base of its control API, without a slash at its end.
	ControlURL string
}

// Set is Server.Set.
func (r Remote) Set(ctx context.Context, rule Rule) error {
	return r.call(ctx, http.MethodPost, "/_script", rule, nil)
}

// Reset is Server.Reset.
func (r Remote) Reset(ctx context.Context) error {
	return r.call(ctx, http.MethodDelete, "/_script", nil, nil)
}

// Listen is Server.SetMode and Server.Drop.
func (r Remote) Listen(ctx context.Context, l Listening) error {
	return r.call(ctx, http.MethodPost, "/_mode", l, nil)
}

// Counts is Server.Counts.
func (r Remote) Counts(ctx context.Context) (c Counts, err error) {
	err = r.call(ctx, http.MethodGet, "/_counts", nil, &c)
	return c, err
}

// Last is Server.Last; that there was no such request is an error.
func (r Remote) Last(ctx context.Context, model string) (last Request, err error) {
	err = r.call(ctx, http.MethodGet, "/_last?model="+url.QueryEscape(model), nil, &last)
	return last, err
}

// call sends in as JSON, if it is not nil, and reads the answer into out, if it is not nil.
func (r Remote) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode for %s: %w", path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.ControlURL+path, body)
	if err != nil {
		return fmt.Errorf("control the upstream: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("control the upstream: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // was read
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // what there is of it
		return fmt.Errorf("control the upstream: %s %s: %s: %s", method, path, resp.Status, strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	return nil
}
