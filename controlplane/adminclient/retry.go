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
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err == nil {
		return resp.StatusCode >= http.StatusInternalServerError, nil
	}
	// the library knows the errors that stay, such as a bad certificate; what
	// it says of them is err once more
	again, _ := retryablehttp.DefaultRetryPolicy(ctx, nil, err)
	return again, nil
}

func retryWrite(ctx context.Context, _ *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return errors.Is(err, syscall.ECONNREFUSED), nil
}
