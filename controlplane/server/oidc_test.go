package server_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/openid"
	"github.com/hybridinference/gateway/controlplane/openid/openidtest"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/secret"
)

// at is a daemon's option to let people in who are known at a provider.
func at(t *testing.T, issuer string, change func(*openid.Options)) func(*app.Options) {
	o := openid.Options{
		Issuer: issuer, ClientID: openidtest.ClientID, Secret: secret.New(openidtest.Secret), RedirectURL: openidtest.RedirectURL, Scopes: []string{"openid", "email", "profile"},
		GroupsClaim: "groups", Roles: []openid.Role{{Name: "viewer", Groups: []string{"staff"}}, {Name: "operator", Groups: []string{"oncall"}}, {Name: "admin", Groups: []string{"platform"}}},
	}
	if change != nil {
		change(&o)
	}
	c, err := openid.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *app.Options) { o.Console.OIDC = c }
}

// page gets a page as a browser does that comes from elsewhere: only Lax cookies
// come along. It keeps those of the answer and returns where it leads.
func (b *browser) page(path string) (status int, location, text string) {
	b.p.t.Helper()
	req, err := http.NewRequestWithContext(b.p.t.Context(), http.MethodGet, b.p.url+path, http.NoBody)
	if err != nil {
		b.p.t.Fatal(err)
	}
	for place, value := range b.cookies {
		if name, ok := strings.CutPrefix(place, "/console/oidc "); ok {
			req.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		b.p.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.p.t.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		if want := map[bool]http.SameSite{true: http.SameSiteLaxMode, false: http.SameSiteStrictMode}[c.Path == "/console/oidc"]; !c.HttpOnly || c.SameSite != want {
			b.p.t.Errorf("%s", c)
		}
		if c.MaxAge < 0 {
			delete(b.cookies, c.Path+" "+c.Name)
		} else {
			b.cookies[c.Path+" "+c.Name] = c.Value
		}
	}
	if status := resp.StatusCode; status >= 400 && (!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'")) {
		b.p.t.Errorf("%s: %d %v", path, status, resp.Header)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(body)
}

// through signs in at a provider and returns what the callback answers.
func (b *browser) through(p *openidtest.Provider, user, to string) (status int, location, text string) {
	b.p.t.Helper()
	status, target, text := b.page("/console/oidc/login?to=" + to)
	if status != http.StatusSeeOther {
		return status, target, text
	}
	back := p.SignIn(b.p.t, target, user)
	path, ok := strings.CutPrefix(back, "http://localhost")
	if !ok {
		b.p.t.Fatalf("the provider leads to %s", back)
	}
	return b.page(path)
}

func TestSignInAtAnIdentityProvider(t *testing.T) {
	db := requestlogtest.SQLite(t)
	users := []openidtest.User{
		{Name: "ada", Email: "ada@example.com", Verified: true, Groups: []string{"staff", "platform"}},
		{Name: "otto", Email: "otto@example.com", Groups: []string{"oncall"}},
		{Name: "vera", Email: "vera@example.com", Verified: true, Groups: "staff"},
		{Name: "eve", Email: "eve@example.com", Verified: true, Groups: []string{"<b>sales</b>"}},
		{Name: "nemo", Email: "nemo@example.com", Verified: true},
	}
	provider := openidtest.Start(t, true, users...)
	p := start(t, db, at(t, provider.URL, nil))
	b := p.browser()
	b.want("GET", "/console/methods", "", http.StatusOK, `{"token":true,"oidc":"127.0.0.1"}`)
	for _, c := range [][2]string{{"ada", `"ada@example.com","role":"admin"`}, {"otto", `"otto@example.com (sub-otto)","role":"operator"`}, {"vera", `"vera@example.com","role":"viewer"`}} {
		user, want := c[0], c[1]
		if status, location, text := b.through(provider, user, "requests/gen-1?errors=true"); status != http.StatusSeeOther || location != "/console/#/requests/gen-1?errors=true" {
			t.Fatalf("%s: %d %q %s", user, status, location, text)
		}
		b.want("GET", adminapi.SessionPath, "", http.StatusOK, `{"name":`+want+`,"method":"oidc"`)
	}
	b.want("PUT", "/admin/weights", `{"model":"glm","weights":{"local":1}}`, http.StatusForbidden, "vera@example.com has the role viewer")
	for user, want := range map[string]string{"eve": "none of your groups has one here: &lt;b&gt;sales&lt;/b&gt;", "nemo": "says nothing of your groups (claim groups)"} {
		stranger := p.browser()
		if status, _, text := stranger.through(provider, user, ""); status != http.StatusForbidden || !strings.Contains(text, want) || len(stranger.cookies) != 0 {
			t.Errorf("%s: %d %s %v", user, status, text, stranger.cookies)
		}
	}
	changed := p.second(db, at(t, provider.URL, func(o *openid.Options) { o.Roles[0].Groups = nil })).browser() // a group has lost its role
	changed.cookies = maps.Clone(b.cookies)
	changed.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "sign in again")
	without := p.second(db, nil).browser()
	without.cookies = maps.Clone(b.cookies)
	without.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "sign in again")
	without.want("GET", "/console/oidc/login", "", http.StatusNotFound, "")

	var log []adminapi.AuditEntry
	p.call("GET", "/admin/audit", "", http.StatusOK, &log)
	got := map[string]string{}
	for _, e := range log {
		got[e.Action+" "+e.Author] = string(e.Detail)
	}
	if got["login ada@example.com"] != `{"method":"oidc","subject":"sub-ada"}` || got["login otto@example.com (sub-otto)"] == "" || got["login.refused eve@example.com"] == "" {
		t.Errorf("the audit log has %v", got)
	}
}

// Claims may be in the userinfo only, and inside others.
func TestUserinfoHasTheGroups(t *testing.T) {
	users := []openidtest.User{
		{Name: "ada", Email: "ada@example.com", Verified: true, Groups: map[string]any{"roles": []string{"platform"}}},
		{Name: "vera", Email: "vera@example.com", Verified: true},
	}
	provider := openidtest.Start(t, false, users...)
	b := start(t, requestlogtest.SQLite(t), at(t, provider.URL, func(o *openid.Options) { o.GroupsClaim, o.Roles[0].Groups = "groups.roles", []string{"*"} })).browser()
	if status, _, text := b.through(provider, "vera", ""); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, text)
	}
	b.want("GET", adminapi.SessionPath, "", http.StatusOK, `"vera@example.com","role":"viewer"`)
	if status, location, text := b.through(provider, "ada", "//evil.example/../.."); status != http.StatusSeeOther || location != "/console/#///evil.example/../.." {
		t.Fatalf("%d %q %s", status, location, text)
	}
	b.want("GET", adminapi.SessionPath, "", http.StatusOK, `"ada@example.com","role":"admin"`)
}

// What does not belong to a sign-in that this browser has begun signs no one in.
func TestForgedSignIns(t *testing.T) {
	provider := openidtest.Start(t, true, openidtest.User{Name: "ada", Groups: []string{"platform"}})
	p := start(t, requestlogtest.SQLite(t), at(t, provider.URL, nil))
	const cookie = "/console/oidc gateway_oidc"
	f := func(what, want string, change func(b *browser, back string) string) {
		t.Helper()
		b := p.browser()
		_, target, _ := b.page("/console/oidc/login")
		back := change(b, strings.TrimPrefix(provider.SignIn(t, target, "ada"), "http://localhost"))
		if status, _, text := b.page(back); status != http.StatusUnauthorized || !strings.Contains(text, want) || len(b.cookies) != 0 {
			t.Errorf("%s: %d %s, want %q; cookies %v", what, status, text, want, b.cookies)
		}
		p.call("GET", "/admin/whoami", "", http.StatusOK, nil) // is let in, which forgives the failure
		if status, text := b.do("POST", adminapi.SessionPath, `{"token":"`+token+`"}`, nil); status != http.StatusCreated {
			t.Errorf("%d %s", status, text)
		}
	}
	tamper := func(name string) func(*browser, string) string {
		return func(b *browser, back string) string {
			text, err := base64.RawURLEncoding.DecodeString(b.cookies[cookie])
			values := map[string]string{}
			if err != nil || json.Unmarshal(text, &values) != nil || values[name] == "" {
				t.Fatalf("%s: %v", text, err)
			}
			values[name] = strings.Repeat("x", len(values[name]))
			if text, err = json.Marshal(values); err != nil {
				t.Fatal(err)
			}
			b.cookies[cookie] = base64.RawURLEncoding.EncodeToString(text)
			return back
		}
	}
	f("another state", "begun in another browser", tamper("state"))
	f("another nonce", "the id_token is of another sign-in", tamper("nonce"))
	f("another verifier", "invalid_grant", tamper("verifier"))
	f("another browser", "begun in another browser", func(b *browser, back string) string { clear(b.cookies); return back })
	f("a broken cookie", "begun in another browser", func(b *browser, back string) string { b.cookies[cookie] = "x"; return back })
	f("an unknown code", "invalid_grant", func(_ *browser, back string) string { return strings.Replace(back, "code=", "code=x", 1) })
	f("no code", "says invalid_", func(_ *browser, back string) string {
		return back[:strings.Index(back, "?")] + "?state=" + between(back, "state=", "&")
	})
	f("a refusal", "127.0.0.1 says access_denied &lt;i&gt;no&lt;/i&gt;", func(_ *browser, back string) string {
		return openid.CallbackPath + "?error=access_denied&error_description=%3Ci%3Eno%3C/i%3E&state=" + between(back, "state=", "&")
	})
	b := p.browser()
	for range 5 {
		if status, _, text := b.page(openid.CallbackPath + "?code=x&state=y"); status != http.StatusUnauthorized {
			t.Errorf("%d %s", status, text)
		}
	}
	if status, _, text := b.page(openid.CallbackPath + "?code=x&state=y"); status != http.StatusTooManyRequests || !strings.Contains(text, "Too many failed logins") {
		t.Errorf("%d %s", status, text)
	}
}

// between returns what follows a mark, up to another or the end.
func between(text, after, before string) string {
	_, rest, _ := strings.Cut(text, after)
	rest, _, _ = strings.Cut(rest, before)
	return rest
}

// A provider that is away keeps nothing else from working, and is found again.
func TestAnIdentityProviderThatIsAway(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b := start(t, requestlogtest.SQLite(t), at(t, "http://"+address, nil)).browser()
	if status, _, text := b.page("/console/oidc/login"); status != http.StatusBadGateway || !strings.Contains(text, "identity provider does not answer: http://"+address) {
		t.Errorf("%d %s", status, text)
	}
	b.signIn(token, http.StatusCreated)
	if l, err = new(net.ListenConfig).Listen(t.Context(), "tcp", address); err != nil {
		t.Fatal(err)
	}
	provider := openidtest.StartAt(t, l, true, openidtest.User{Name: "ada", Email: "ada@example.com", Verified: true, Groups: []string{"platform"}})
	eventually.True(t, "the provider is found", func() bool {
		status, _, _ := b.through(provider, "ada", "")
		return status == http.StatusSeeOther
	})
	b.want("GET", adminapi.SessionPath, "", http.StatusOK, `"ada@example.com"`)

	wrong := start(t, requestlogtest.SQLite(t), at(t, provider.URL, func(o *openid.Options) { o.Secret = secret.New("wrong") })).browser()
	if status, _, text := wrong.through(provider, "ada", ""); status != http.StatusUnauthorized || !strings.Contains(text, "invalid_client") || strings.Contains(text, "wrong") {
		t.Errorf("a wrong secret: %d %s", status, text)
	}
}
