// Package openid signs people in at an OpenID Connect provider, by the
// authorization code flow with state, nonce and PKCE, and finds their role by
// their groups.
package openid

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/hybridinference/gateway/shared/secret"
)

const (
	// CallbackPath ends every redirect URL.
	CallbackPath = "/console/oidc/callback"
	// callTime bounds each call of the provider.
	callTime = 10 * time.Second
	// discoverEvery is how old the provider's description may be, retryEvery how
	// soon a provider that did not answer is asked again.
	discoverEvery = time.Hour
	retryEvery    = time.Second
)

var (
	// ErrUnavailable says that the provider does not answer as one.
	ErrUnavailable = errors.New("the identity provider does not answer")
	// ErrRefused says that no one was signed in: the provider has refused, or what
	// it says does not belong to what was asked.
	ErrRefused = errors.New("sign-in failed")
	// ErrNoRole says that a person is known but belongs to none of the groups.
	ErrNoRole = errors.New("no role")
)

// Options are a client's registration at a provider. All but Secret are required.
type Options struct {
	Issuer, ClientID string
	// Secret is empty for a public client.
	Secret secret.String
	// RedirectURL is the daemon's, as browsers reach it, with CallbackPath.
	RedirectURL string
	Scopes      []string
	// GroupsClaim names the claim with the groups; dots lead into objects.
	GroupsClaim string
	// Roles are the roles with their groups, the least first; the group * has everybody.
	Roles []Role
}

// Role is what members of some groups may do.
type Role struct {
	Name   string
	Groups []string
}

// Person is who has signed in.
type Person struct {
	// Name is the verified email address, else such as "ada (subject)" or the subject.
	Name    string
	Subject string
	Groups  []string
	Role    string
}

// Flow is what a sign-in must remember between its two requests.
type Flow struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// Client signs people in. Create it with New.
type Client struct {
	o    Options
	http *http.Client

	mu       sync.Mutex
	provider *oidc.Provider
	fetched  time.Time // when the provider was last asked
	failure  error     // what came of it
}

// New checks the options. The provider need not be up.
func New(o Options) (*Client, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // its documented type
	return &Client{o: o, http: &http.Client{Timeout: callTime, Transport: t}}, nil
}

func (o *Options) check() error {
	if err := checkURL(o.Issuer); err != nil {
		return fmt.Errorf("OIDC_ISSUER %w", err)
	}
	if err := checkURL(o.RedirectURL); err != nil {
		return fmt.Errorf("OIDC_REDIRECT_URL %w", err)
	}
	if u, err := url.Parse(o.RedirectURL); err != nil || u.Path != CallbackPath || u.RawQuery != "" {
		return fmt.Errorf("OIDC_REDIRECT_URL must end with %s, got %q", CallbackPath, o.RedirectURL)
	}
	if o.ClientID == "" {
		return errors.New("OIDC_CLIENT_ID must be set")
	}
	if !slices.Contains(o.Scopes, oidc.ScopeOpenID) {
		return errors.New("OIDC_SCOPES must contain openid")
	}
	if !slices.ContainsFunc(o.Roles, func(r Role) bool { return len(r.Groups) > 0 }) {
		return errors.New("one of OIDC_VIEWER_GROUPS, OIDC_OPERATOR_GROUPS and OIDC_ADMIN_GROUPS must be set: nobody could sign in")
	}
	return nil
}

// checkURL refuses what would send codes and tokens over the network in the clear.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("must be a URL such as https://login.example.com, got %q", text)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fmt.Errorf("must begin with https://; http:// is for loopback addresses only, got %q", text)
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Name is the provider's host, for people.
func (c *Client) Name() string {
	u, err := url.Parse(c.o.Issuer)
	if err != nil {
		return c.o.Issuer
	}
	if host, _, err := net.SplitHostPort(u.Host); err == nil {
		return host
	}
	return u.Host
}

// Fingerprint changes with what decides about a person's role.
func (c *Client) Fingerprint() string {
	text, err := json.Marshal([]any{c.o.Issuer, c.o.ClientID, c.o.GroupsClaim, c.o.Roles})
	if err != nil {
		panic("BUG: " + err.Error()) // these are texts
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Begin returns where to send the browser, and what Finish needs.
func (c *Client) Begin(ctx context.Context) (target string, f Flow, err error) {
	p, err := c.discover(ctx)
	if err != nil {
		return "", f, err
	}
	f = Flow{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
	return c.config(p).AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), f, nil
}

func (c *Client) config(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: c.o.ClientID, ClientSecret: c.o.Secret.Reveal(), Endpoint: p.Endpoint(), RedirectURL: c.o.RedirectURL, Scopes: c.o.Scopes}
}

// discover returns the provider, whose description is fetched when it is needed.
func (c *Client) discover(ctx context.Context) (*oidc.Provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := time.Since(c.fetched)
	if c.failure == nil && c.provider != nil && age < discoverEvery {
		return c.provider, nil
	}
	if c.fetched.IsZero() || age >= retryEvery {
		// not cancelled with this request: the next one waits for the same answer.
		// The provider's keys are fetched with this context, too.
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.http), c.o.Issuer)
		c.fetched, c.failure = time.Now(), err
		if err == nil {
			c.provider = p
		}
	}
	if c.provider == nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnavailable, c.o.Issuer, c.failure)
	}
	return c.provider, nil // perhaps an old one
}

// Finish trades the provider's answer for who has signed in. The error wraps
// one of this package's. With ErrNoRole the person is returned, too.
func (c *Client) Finish(ctx context.Context, f Flow, answer url.Values) (Person, error) {
	if f.State == "" || answer.Get("state") != f.State {
		return Person{}, fmt.Errorf("%w: it was begun in another browser or tab, or more than ten minutes ago; try again", ErrRefused)
	}
	if code := answer.Get("error"); code != "" {
		return Person{}, fmt.Errorf("%w: %s says %s", ErrRefused, c.Name(), shown(strings.TrimSpace(code+" "+answer.Get("error_description"))))
	}
	p, err := c.discover(ctx)
	if err != nil {
		return Person{}, err
	}
	ctx = oidc.ClientContext(ctx, c.http)
	token, err := c.config(p).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return Person{}, c.exchangeError(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Person{}, fmt.Errorf("%w: the answer of %s has no id_token", ErrRefused, c.Name())
	}
	id, err := p.VerifierContext(ctx, &oidc.Config{ClientID: c.o.ClientID}).Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: id_token: %w", ErrRefused, err)
	}
	if id.Nonce != f.Nonce {
		return Person{}, fmt.Errorf("%w: the id_token is of another sign-in", ErrRefused)
	}
	all, err := c.claims(ctx, p, id, token)
	if err != nil {
		return Person{}, err
	}
	return c.person(id.Subject, all)
}

// exchangeError tells a provider that refuses from one that does not answer.
func (c *Client) exchangeError(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case ok && refused.ErrorCode != "":
		return fmt.Errorf("%w: %s says %s", ErrRefused, c.Name(), shown(strings.TrimSpace(refused.ErrorCode+" "+refused.ErrorDescription)))
	case ok && refused.Response != nil:
		return fmt.Errorf("%w: %s answered with status %d", ErrUnavailable, c.Name(), refused.Response.StatusCode)
	default:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
}

// shown bounds what the provider says.
func shown(text string) string {
	if r := []rune(text); len(r) > 300 {
		return string(r[:300]) + "..."
	}
	return text
}
