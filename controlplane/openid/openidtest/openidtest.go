// Package openidtest runs a real OpenID Connect provider for tests: zitadel's,
// with its storage in memory and its sign-in page.
package openidtest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What a client has to know, and everybody's password.
const (
	ClientID = "gateway"
	Secret   = "the-gateways-secret"
	Password = "the-users-password"
	// RedirectURL is registered for ClientID.
	RedirectURL = "http://localhost/console/oidc/callback"
)

// User is somebody who can sign in.
type User struct {
	Name, Email string
	Verified    bool
	// Groups are the claim "groups", nil for none.
	Groups any
}

// Provider is a running provider.
type Provider struct {
	URL   string
	users []User
	// inToken puts claims into ID tokens; otherwise they are in the userinfo only.
	inToken bool
}

// Start runs a provider until the test ends. Claims are in the ID token or in
// the userinfo.
func Start(t *testing.T, inToken bool, users ...User) *Provider {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return StartAt(t, l, inToken, users...)
}

// StartAt does that at an address that is known before.
func StartAt(t *testing.T, l net.Listener, inToken bool, users ...User) *Provider {
	t.Helper()
	p := &Provider{URL: "http://" + l.Addr().String(), users: users, inToken: inToken}
	clients := map[string]*storage.Client{ClientID: storage.WebClient(ClientID, Secret, RedirectURL)}
	s := store{storage.NewStorageWithClients(p, clients), p}
	server := httptest.NewUnstartedServer(exampleop.SetupServer(p.URL, s, nil, false))
	_ = server.Listener.Close() // its own
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// SignIn does what a person does at the provider who was sent to target: it
// fills in the form, and returns the address to which the provider leads back.
func (p *Provider) SignIn(t *testing.T, target, user string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	follow := func(method, target, form string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		next, err := resp.Location()
		if err != nil {
			t.Fatalf("%s %s: status %d: %v", method, target, resp.StatusCode, err)
		}
		return next.String()
	}
	form := follow(http.MethodGet, target, "")
	if !strings.HasPrefix(form, p.URL) {
		return form // refused
	}
	_, id, _ := strings.Cut(form, "authRequestID=")
	return follow(http.MethodGet, follow(http.MethodPost, p.URL+"/login/username", "username="+user+"&password="+Password+"&id="+id), "")
}

// GetUserByID implements storage.UserStore.
func (p *Provider) GetUserByID(id string) *storage.User {
	for _, u := range p.users {
		if "sub-"+u.Name == id {
			return &storage.User{ID: id, Username: u.Name, Password: Password, Email: u.Email, EmailVerified: u.Verified}
		}
	}
	return nil
}

// GetUserByUsername implements storage.UserStore.
func (p *Provider) GetUserByUsername(name string) *storage.User { return p.GetUserByID("sub-" + name) }

// ExampleClientID implements storage.UserStore.
func (p *Provider) ExampleClientID() string { return storage.ServiceUserID }

// store adds groups to zitadel's.
type store struct {
	*storage.Storage
	p *Provider
}

func (s store) groups(info *oidc.UserInfo) {
	for _, u := range s.p.users {
		if "sub-"+u.Name == info.Subject && u.Groups != nil {
			info.AppendClaims("groups", u.Groups)
		}
	}
}

func (s store) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	err := s.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin)
	s.groups(info)
	return err
}

func (s store) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, token op.IDTokenRequest, scopes []string) error {
	err := s.Storage.SetUserinfoFromRequest(ctx, info, token, scopes)
	s.groups(info)
	return err
}

func (s store) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := s.Storage.GetClientByClientID(ctx, id)
	return client{c, s.p.inToken}, err
}

type client struct {
	op.Client
	inToken bool
}

func (c client) IDTokenUserinfoClaimsAssertion() bool { return c.inToken }
