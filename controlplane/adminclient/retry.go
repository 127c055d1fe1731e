package adminclient

import (
	"context"
	"errors"
	"net/http"
	"syscall"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	retries  = 3
	firstGap = 100 * time.Millisecond
)

func retrying(plain *http.Client, policy retryablehttp.CheckRetry) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: plain, CheckRetry: policy, RetryMax: retries, Backoff: gap,
		// the last answer is the one to report, not that there were several
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// gap doubles from attempt to attempt. It does not obey Retry-After: whoever
// sits in front of the screen rather reads the daemon's answer than waits.
func gap(_, _ time.Duration, attempt int, _ *http.Response) time.Duration {
	return firstGap << attempt
}

func retryRead(ctx context.Context, resp *http.Response, err error) (bool, error) {
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err == nil:
		return resp.StatusCode >= http.StatusInternalServerError && !starting(resp.StatusCode, resp.Header), nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return false, nil // send waits longer for these
	}
	// the library knows the errors that stay, such as a bad certificate; what
	// it says of them is err again
	again, _ := retryablehttp.DefaultRetryPolicy(ctx, nil, err)
	return again, nil
}

// retryWrite never retries: after anything but a refusal the change may have
// taken place.
func retryWrite(ctx context.Context, _ *http.Response, _ error) (bool, error) {
	return false, ctx.Err()
}

// starting is an answer of a daemon that does not have its database yet. It
// has changed nothing.
func starting(status int, header http.Header) bool {
	return status == http.StatusServiceUnavailable && header.Get("Retry-After") != ""
}

// waitGap is the pause before a daemon that is not ready is asked again.
const waitGap = 200 * time.Millisecond

// ready calls try until the daemon is there: it may be started at the same time
// as this program. A refused connection is retried for half of the client's
// timeout, since there may never be a daemon at that address; one that says
// that it is starting for all of it.
func (c *Client) ready(ctx context.Context, try func() (response, error)) (response, error) {
	began := time.Now()
	for {
		resp, err := try()
		limit := time.Duration(0)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			limit = c.opts.Timeout / 2
		case err == nil && starting(resp.status, resp.header):
			limit = c.opts.Timeout
		}
		if time.Since(began)+waitGap >= limit {
			return resp, err
		}
		select {
		case <-ctx.Done():
			return resp, err
		case <-time.After(waitGap):
		}
	}
}
