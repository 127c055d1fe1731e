package token

import (
	"context"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"

	"github.com/hybridinference/gateway/dataplane/upstream"
)

// newClient returns the client for token servers. Asking twice for a token
// does no harm, so that whatever may pass is tried again.
func newClient() *http.Client {
	c := newRetryClient()
	c.HTTPClient.Transport = upstream.KeepIdle(c.HTTPClient.Transport)
	return c.StandardClient()
}

// newDirectClient returns one that goes past any proxy: a machine's metadata
// service answers that machine only.
func newDirectClient() *http.Client {
	c := newRetryClient()
	if t, ok := c.HTTPClient.Transport.(*http.Transport); ok {
		t.Proxy = nil
	}
	return c.StandardClient()
}

func newRetryClient() *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.RetryMax = 2
	c.RetryWaitMin, c.RetryWaitMax = 100*time.Millisecond, time.Second
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return c
}

// bind makes the library use the client, and the client end with ctx: the
// library itself sends requests without a context.
func bind(ctx context.Context, client *http.Client) context.Context {
	bound := &http.Client{Transport: bound{ctx, client.Transport}}
	return context.WithValue(ctx, oauth2.HTTPClient, bound)
}

type bound struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bound) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.next.RoundTrip(r.WithContext(b.ctx))
}
