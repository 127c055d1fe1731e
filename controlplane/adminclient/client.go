// Package adminclient is a client of the control plane's admin API, which
// package adminapi describes. A read is retried when the connection breaks or
// the daemon answers with a 5xx; a write only when it surely changed nothing:
// the connection was refused, or the daemon says that it is still starting.
package adminclient

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/hybridinference/gateway/shared/secret"
)

// The defaults of Options.
const (
	DefaultURL     = "http://127.0.0.1:8081"
	DefaultTimeout = 10 * time.Second
)

// Options say where the daemon is and who asks.
type Options struct {
	// URL is where the daemon listens, DefaultURL if empty. A path is kept in
	// front of /admin.
	URL string
	// Token is the daemon's ADMIN_TOKEN; empty sends none.
	Token secret.String
	// Author is written to the audit log beside every change; may be empty.
	Author string
	// Timeout bounds one call with its retries, DefaultTimeout if 0. The time
	// that the daemon waits for nodes is added to it.
	Timeout time.Duration
	// UserAgent names the calling program and its version.
	UserAgent string
	// Transport carries the requests, http.DefaultTransport if nil.
	Transport http.RoundTripper
}

// Client calls one daemon. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	opts    Options
	reading *retryablehttp.Client
	writing *retryablehttp.Client
}

// New checks the options; it does not connect. An error is an *Invalid.
func New(opts Options) (*Client, error) {
	if opts.URL == "" {
		opts.URL = DefaultURL
	}
	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.Transport == nil {
		opts.Transport = http.DefaultTransport
	}
	base, err := parseBase(opts.URL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(opts.Author, unicode.IsControl) {
		return nil, &Invalid{OptionAuthor, "must not contain control characters"}
	}
	if strings.ContainsFunc(opts.Token.Reveal(), unicode.IsControl) {
		return nil, &Invalid{OptionToken, "must not contain control characters, such as the end of a line"}
	}
	plain := &http.Client{Transport: opts.Transport, CheckRedirect: stay}
	return &Client{base: base, opts: opts, reading: retrying(plain, retryRead), writing: retrying(plain, retryWrite)}, nil
}

// parseBase never repeats what it refuses: it may hold a password.
func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return nil, &Invalid{OptionURL, "must look like " + DefaultURL + " or https://gateway.example.org"}
	case base.User != nil:
		return nil, &Invalid{OptionURL, "must not contain a user name or password"}
	case base.RawQuery != "" || base.Fragment != "":
		return nil, &Invalid{OptionURL, "must end with its path, without ? or #"}
	}
	return base, nil
}

// stay refuses to follow a redirect: it would turn a write into a GET, or carry
// the token elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// URL is where the client looks for the daemon.
func (c *Client) URL() string { return c.base.String() }
