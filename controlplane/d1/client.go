// Package d1 speaks to Cloudflare D1 through its REST API. It knows the
// service's limits: at most 100 parameters, statements of 100 KB, values of
// 2 MB, 1,200 requests in five minutes; and that a number on its way through
// JavaScript keeps 53 bits only, which is why all parameters go as text.
package d1

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"

	"github.com/hybridinference/gateway/shared/secret"
)

const (
	// DefaultBase is Cloudflare's API.
	DefaultBase = "https://api.cloudflare.com/client/v4"
	// DefaultRate keeps one process below 1,200 requests in five minutes.
	DefaultRate = 3.8
	// MaxValue is the largest parameter that D1 takes, in bytes.
	MaxValue = 2_000_000

	// callTime limits one request: D1 itself gives up after 30 s.
	callTime = 40 * time.Second
	// connectTime limits dialling and the TLS handshake.
	connectTime = 10 * time.Second
	// maxAnswer is above what a page of the log takes.
	maxAnswer = 64 << 20
	attempts  = 4
	firstWait = 250 * time.Millisecond
	// longestWait limits what a Retry-After can ask for. Cloudflare blocks a
	// token for five minutes at worst: the caller retries then.
	longestWait = 30 * time.Second
)

// Config says which database to use and how to reach it.
type Config struct {
	AccountID, DatabaseID string
	Token                 secret.String
	// Base is DefaultBase if empty.
	Base string
	// Rate is how many requests are sent per second at most, DefaultRate if 0.
	Rate float64
	Log  *slog.Logger
}

// Client calls one database. It is safe for concurrent use.
type Client struct {
	c        Config
	endpoint string
	// patient retries whatever went wrong, careful only what surely was not
	// done.
	patient, careful *retryablehttp.Client
	pace             *rate.Limiter
}

// New checks the settings; it asks nothing of the service yet.
func New(c Config) (*Client, error) {
	var errs []error
	for _, need := range [...]struct{ name, value string }{
		{"D1_ACCOUNT_ID", c.AccountID}, {"D1_DATABASE_ID", c.DatabaseID}, {"D1_API_TOKEN", c.Token.Reveal()},
	} {
		if need.value == "" {
			errs = append(errs, fmt.Errorf("%s must be set for Cloudflare D1", need.name))
		}
	}
	base, err := url.Parse(cmp.Or(c.Base, DefaultBase))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		errs = append(errs, fmt.Errorf("D1_API_BASE must look like %s", DefaultBase))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	c.Rate = cmp.Or(c.Rate, DefaultRate)
	out := &Client{c: c, pace: rate.NewLimiter(rate.Limit(c.Rate), 1), endpoint: base.JoinPath("accounts", c.AccountID, "d1", "database", c.DatabaseID, "raw").String()}
	out.patient, out.careful = retrying(retryAll), retrying(retryUntouched)
	return out, nil
}

func retrying(check retryablehttp.CheckRetry) *retryablehttp.Client {
	r := retryablehttp.NewClient()
	r.HTTPClient = &http.Client{Timeout: callTime, Transport: transport()}
	r.Logger = nil
	r.RetryMax, r.RetryWaitMin, r.RetryWaitMax = attempts-1, firstWait, longestWait
	r.CheckRetry, r.ErrorHandler = check, retryablehttp.PassthroughErrorHandler
	r.Backoff = backoff
	return r
}

// transport is the client's own: go-retryablehttp closes all idle connections of
// the one that it is given. It heeds the environment's proxies.
func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // its documented type
	t.DialContext = (&net.Dialer{Timeout: connectTime, KeepAlive: 15 * time.Second}).DialContext
	t.TLSHandshakeTimeout = connectTime
	return t
}

// backoff heeds Retry-After, which the library's own does for 429 and 503.
func backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	return min(most, retryablehttp.DefaultBackoff(least, most, attempt, resp))
}

func retryAll(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return true, nil //nolint:nilerr // it is retried
	}
	return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError, nil
}

// retryUntouched repeats only what the service has refused to look at.
func retryUntouched(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return err == nil && resp.StatusCode == http.StatusTooManyRequests, nil
}

// Statement is SQL with its parameters: text, whole numbers, or nil for NULL.
type Statement struct {
	SQL    string
	Params []any
}

// Error is D1's answer to a request that failed.
type Error struct {
	Status  int
	Code    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("D1: %d %s", e.Status, e.Message) }

// Duplicate reports whether a row exists already or a value is missing.
func (e *Error) Duplicate() bool {
	return strings.Contains(e.Message, "UNIQUE constraint failed") || strings.Contains(e.Message, "NOT NULL constraint failed")
}

// Data reports whether the data is at fault, so that a retry cannot help.
func (e *Error) Data() bool {
	for _, sign := range []string{"SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE", "malformed JSON"} {
		if strings.Contains(e.Message, sign) {
			return true
		}
	}
	return false
}

// Full reports whether the database has as many bytes as it may have.
func (e *Error) Full() bool {
	return strings.Contains(e.Message, "SQLITE_FULL") || strings.Contains(e.Message, "maximum DB size")
}

// ReadOnly reports whether the database takes no writes.
func (e *Error) ReadOnly() bool { return strings.Contains(e.Message, "SQLITE_READONLY") }

// Unwritable reports whether the disk under the database fails.
func (e *Error) Unwritable() bool { return strings.Contains(e.Message, "SQLITE_IOERR") }

// Repeat runs statements, as one transaction, that may be run twice without
// harm: it retries after any fault.
func (c *Client) Repeat(ctx context.Context, batch ...Statement) ([]Result, error) {
	return c.run(ctx, c.patient, batch)
}

// Once runs statements, as one transaction, at most once. After an error that
// is not an *Error it is unknown whether they were.
func (c *Client) Once(ctx context.Context, batch ...Statement) ([]Result, error) {
	return c.run(ctx, c.careful, batch)
}

func (c *Client) run(ctx context.Context, client *retryablehttp.Client, batch []Statement) ([]Result, error) {
	body, err := encode(batch)
	if err != nil {
		return nil, err
	}
	if err := c.pace.Wait(ctx); err != nil {
		return nil, fmt.Errorf("D1: wait for the rate limit: %w", err)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, body)
	if err != nil {
		return nil, fmt.Errorf("D1: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.c.Token.Reveal())
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("D1: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or the error is returned
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("D1: truncated response: %w", err)
	}
	return decode(resp.StatusCode, text, len(batch))
}

func encode(batch []Statement) ([]byte, error) {
	type one struct {
		SQL    string    `json:"sql"`
		Params []*string `json:"params,omitempty"`
	}
	list := make([]one, len(batch))
	for i, s := range batch {
		list[i].SQL = s.SQL
		for _, value := range s.Params {
			text, err := param(value)
			if err != nil {
				return nil, err
			}
			list[i].Params = append(list[i].Params, text)
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"batch": list}); err != nil {
		return nil, fmt.Errorf("D1: %w", err)
	}
	return out.Bytes(), nil
}

func param(value any) (*string, error) {
	if value == nil {
		return nil, nil
	}
	text := fmt.Sprint(value)
	if len(text) > MaxValue {
		return nil, &Error{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("a parameter of %d bytes, D1 takes %d: SQLITE_TOOBIG", len(text), MaxValue)}
	}
	return &text, nil
}
