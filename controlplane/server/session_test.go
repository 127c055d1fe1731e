package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/secret"
)

// browser is a browser at a daemon: what it sends of its own is in send.
type browser struct {
	p       *plane
	cookies map[string]string // by path and name
	send    map[string]string
}

func (p *plane) browser() *browser {
	return &browser{
		p: &plane{t: p.t, url: p.url}, cookies: map[string]string{},
		send: map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": p.url, adminapi.ConsoleHeader: "1"},
	}
}

// do sends a request with the cookies that its path has, and keeps those of the answer.
func (b *browser) do(method, path, body string, more map[string]string) (int, string) {
	b.p.t.Helper()
	header := maps.Clone(b.send)
	maps.Copy(header, more)
	for place, value := range b.cookies {
		under, name, _ := strings.Cut(place, " ")
		if strings.HasPrefix(path, under) {
			header["Cookie"] = name + "=" + value
		}
	}
	status, text, answered := b.p.raw(method, path, body, header)
	for _, line := range answered.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Domain != "" || c.Secure != strings.HasPrefix(c.Name, "__Secure-") {
			b.p.t.Errorf("%s: %v", line, err)
			continue
		}
		if c.MaxAge < 0 {
			delete(b.cookies, c.Path+" "+c.Name)
		} else {
			b.cookies[c.Path+" "+c.Name] = c.Value
		}
	}
	return status, text
}

func (b *browser) want(method, path, body string, status int, text string) {
	b.p.t.Helper()
	if got, answer := b.do(method, path, body, nil); got != status || !strings.Contains(answer, text) {
		b.p.t.Errorf("%s %s: %d %s, want %d with %q", method, path, got, answer, status, text)
	}
}

func (b *browser) signIn(token string, status int) (s adminapi.Session) {
	b.p.t.Helper()
	got, text := b.do("POST", adminapi.SessionPath, `{"token":"`+token+`"}`, nil)
	if got != status {
		b.p.t.Fatalf("sign in: %d %s, want %d", got, text, status)
	}
	if status < 300 {
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			b.p.t.Fatal(err)
		}
	}
	return s
}

// second starts another daemon on the same database and NATS.
func (p *plane) second(db *requestlogtest.Database, change func(*app.Options)) *plane {
	p.t.Helper()
	o := app.Options{Addr: "127.0.0.1:0", NATS: bus.Options{URL: p.nats.ClientURL()}, State: db.Config, Token: secret.New(token), Log: discard()}
	if change != nil {
		change(&o)
	}
	a, err := app.New(p.t.Context(), o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(runApp(p.t, a))
	<-a.Ready()
	return &plane{t: p.t, url: "http://" + a.Addr(), token: token}
}

// A session stands for its operator at every daemon of the database, and ends
// with the operator's token.
func TestSessionsOfOperators(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		vera := p.operator("vera", "viewer")
		b := p.browser()
		s := b.signIn(vera.token, http.StatusCreated)
		if s.Name != "vera" || s.Role != "viewer" || s.Method != adminapi.MethodOperator || time.Until(*s.Expires).Round(time.Minute) != 12*time.Hour || time.Until(*s.IdleExpires).Round(time.Minute) != time.Hour {
			t.Errorf("%+v", s)
		}
		b.want("GET", "/admin/status", "", http.StatusOK, "")
		b.want("GET", adminapi.SessionPath, "", http.StatusOK, `"vera"`)
		b.want("PUT", "/admin/weights", `{"model":"glm","weights":{"local":1}}`, http.StatusForbidden, "needs the role operator; vera has the role viewer")
		b.want("GET", "/admin/logs?text=x", "", http.StatusForbidden, "needs the role admin")
		b.want("GET", "/api/v1/keys", "", http.StatusUnauthorized, "")
		if kept := db.Query(t, "SELECT hash, credential FROM control_sessions")[0]; len(kept[0]) != 64 || strings.Contains(strings.Join(kept, " "), b.cookies["/admin gateway_session"]) {
			t.Errorf("kept: %q", kept)
		}
		other := p.second(db, nil).browser()
		other.cookies = maps.Clone(b.cookies)
		other.want("GET", "/admin/whoami", "", http.StatusOK, `"vera"`)

		var rotated adminapi.NewOperator
		p.call("POST", "/admin/operators/vera/rotate", `{}`, http.StatusOK, &rotated)
		other.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "sign in again")
		if len(other.cookies) != 0 {
			t.Errorf("cookies of a session that has ended: %v", other.cookies)
		}
		b.signIn(rotated.Token, http.StatusCreated)
		kept := maps.Clone(b.cookies)
		b.want("DELETE", adminapi.SessionPath, "", http.StatusOK, "")
		if len(b.cookies) != 0 {
			t.Errorf("cookies after signing out: %v", b.cookies)
		}
		b.want("DELETE", adminapi.SessionPath, "", http.StatusOK, "")
		b.cookies = kept
		b.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "sign in again")
		b.signIn(rotated.Token, http.StatusCreated)
		p.call("DELETE", "/admin/operators/vera", `{}`, http.StatusOK, nil)
		b.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "sign in again")

		var log []adminapi.AuditEntry
		p.call("GET", "/admin/audit", "", http.StatusOK, &log)
		count := map[string]int{}
		for _, e := range log {
			if e.Author == "vera" && e.Target == "127.0.0.1" {
				count[e.Action]++
			}
		}
		if count["login"] != 3 || count["logout"] != 1 {
			t.Errorf("the audit log has %v", count)
		}
	})
}

func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		b := p.browser()
		set := func(column string, at time.Time) {
			t.Helper()
			if _, err := db.Connect(t).Write(t.Context(), database.SQL("UPDATE control_sessions SET "+column+" = $1", at.Unix())); err != nil {
				t.Fatal(err)
			}
		}
		seen := func() string { return db.Query(t, "SELECT seen FROM control_sessions")[0][0] }
		b.signIn(token, http.StatusCreated)
		set("seen", time.Now().Add(-59*time.Minute))
		before := seen()
		if status, text := b.do("GET", "/admin/whoami", "", map[string]string{adminapi.ConsoleHeader: adminapi.PollValue}); status != http.StatusOK || seen() != before {
			t.Errorf("a poll has kept the session alive: %d %s", status, text)
		}
		b.want("GET", "/admin/whoami", "", http.StatusOK, "")
		if seen() == before {
			t.Error("use has not kept the session alive")
		}
		set("seen", time.Now().Add(-61*time.Minute))
		b.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "ended or expired")

		b.signIn(token, http.StatusCreated)
		if n := db.Query(t, "SELECT count(*) FROM control_sessions")[0][0]; n != "1" {
			t.Errorf("%s sessions are kept", n)
		}
		set("expires", time.Now())
		b.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "ended or expired")

		var brief adminapi.NewOperator
		p.call("POST", "/admin/operators", `{"name":"brief","role":"viewer","expires":"30m"}`, http.StatusCreated, &brief)
		if s := b.signIn(brief.Token, http.StatusCreated); !s.Expires.Equal(*brief.Expires) {
			t.Errorf("the session ends %s, the token %s", s.Expires, brief.Expires)
		}
		db.Query(t, "UPDATE control_operators SET expires = 1 WHERE name = 'brief'")
		b.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "ended or expired")
	})
}

// ADMIN_TOKEN that is replaced ends the sessions that it has opened.
func TestSessionsOfAdminToken(t *testing.T) {
	db := requestlogtest.SQLite(t)
	p := start(t, db, nil)
	b := p.browser()
	if s := b.signIn(" "+token+" ", http.StatusCreated); s.Name != "" || s.Role != "admin" || s.Method != adminapi.MethodAdminToken {
		t.Errorf("%+v", s)
	}
	b.want("PUT", "/admin/weights", `{"model":"glm","weights":{"local":0.5,"far":0.5}}`, http.StatusOK, "")
	if text := db.Query(t, "SELECT credential FROM control_sessions")[0][0]; strings.Contains(text, token) {
		t.Errorf("kept: %q", text)
	}
	other := p.second(db, func(o *app.Options) { o.Token = secret.New("another-long-token") }).browser()
	other.cookies = b.cookies
	other.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "sign in again")
}

// What pages of other sites can make a browser send has no effect.
func TestForeignPagesCannotUseASession(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	b := p.browser()
	b.signIn(token, http.StatusCreated)
	const weights = `{"model":"glm","weights":{"local":0.5,"far":0.5}}`
	for _, c := range []struct {
		method string
		header map[string]string
		want   int
	}{
		{"PUT", nil, 200},
		{"PUT", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"PUT", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"PUT", map[string]string{"Sec-Fetch-Site": "", "Origin": "https://attacker.example"}, 403},
		{"PUT", map[string]string{"Sec-Fetch-Site": "", "Origin": "http://127.0.0.1:1"}, 403}, // another port of this host
		{"PUT", map[string]string{"Sec-Fetch-Site": "", "Origin": "null"}, 403},
		{"PUT", map[string]string{adminapi.ConsoleHeader: ""}, 403},
		{"PUT", map[string]string{"Sec-Fetch-Site": "", "Origin": ""}, 200}, // an old browser with our header
		{"GET", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"GET", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"GET", map[string]string{"Sec-Fetch-Site": "none", adminapi.ConsoleHeader: ""}, 200}, // typed into the address bar
	} {
		body := weights
		if c.method == "GET" {
			body = ""
		}
		if got, text := b.do(c.method, "/admin/weights", body, c.header); got != c.want {
			t.Errorf("%s %v: %d %s, want %d", c.method, c.header, got, text, c.want)
		}
	}
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "", "Origin": "https://attacker.example"}, {adminapi.ConsoleHeader: ""}} {
		for method, body := range map[string]string{"POST": `{"token":"` + token + `"}`, "DELETE": ""} { // signing someone in, or out
			if got, text := b.do(method, adminapi.SessionPath, body, header); got != 403 {
				t.Errorf("%s %v: %d %s", method, header, got, text)
			}
		}
	}
	b.want("GET", "/admin/whoami", "", http.StatusOK, "") // it was not signed out
}

func TestWrongTokensAtSignInAreBounded(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	b := p.browser()
	b.signIn("", http.StatusUnauthorized)
	b.signIn("hyo-wrong", http.StatusUnauthorized)
	p.token = "wrong"
	for range 3 {
		p.refused("GET", "/admin/status", "", http.StatusUnauthorized, "invalid token")
	}
	b.signIn("wrong", http.StatusTooManyRequests) // five in a row, whichever way
	b.signIn(token, http.StatusCreated)
	b.cookies["/admin gateway_session"] = "hys-unknown"
	for range 7 { // an old cookie is not a guess
		b.want("GET", "/admin/status", "", http.StatusUnauthorized, "sign in again")
		b.cookies["/admin gateway_session"] = "hys-unknown"
	}
	b.want("POST", adminapi.SessionPath, `{"token":"`+strings.Repeat("x", 1001)+`"}`, http.StatusBadRequest, "at most 1000 bytes")
	b.want("POST", adminapi.SessionPath, `{"name":"x"}`, http.StatusBadRequest, "unknown field")
	b.want("PUT", adminapi.SessionPath, `{}`, http.StatusMethodNotAllowed, "DELETE, GET, POST")
}

// Over https, which a trusted proxy may have ended, the cookie never goes over http.
func TestTheCookieIsSecureOverHTTPS(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), func(o *app.Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	b := p.browser()
	b.send["X-Forwarded-Proto"], b.send["X-Forwarded-For"] = "https", "10.0.0.1"
	b.signIn(token, http.StatusCreated)
	if b.cookies["/admin __Secure-gateway_session"] == "" || b.cookies["/console __Secure-gateway_session"] == "" || len(b.cookies) != 2 {
		t.Errorf("cookies %v", b.cookies)
	}
	b.want("GET", "/admin/whoami", "", http.StatusOK, "")
	b.cookies = map[string]string{"/admin gateway_session": b.cookies["/admin __Secure-gateway_session"]}
	b.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "Authorization") // what http has set does not count
	direct := start(t, requestlogtest.SQLite(t), nil).browser()
	direct.send["X-Forwarded-Proto"] = "https"
	direct.signIn(token, http.StatusCreated)
	if direct.cookies["/admin gateway_session"] == "" {
		t.Errorf("cookies of a client that is not a proxy: %v", direct.cookies)
	}
}

// While the database is away the holder of ADMIN_TOKEN may still sign in.
func TestSignInWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), nil) // for NATS
	away := func(text string) *plane {
		a, err := app.New(t.Context(), app.Options{
			Addr: "127.0.0.1:0", NATS: bus.Options{URL: p.nats.ClientURL()}, Token: secret.New(text), Log: discard(),
			State: database.Config{Backend: database.BackendPostgres, Postgres: database.PostgresConfig{DSN: secret.New("postgres://nobody@127.0.0.1:1/none?sslmode=disable")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(runApp(t, a))
		return &plane{t: t, url: "http://" + a.Addr()}
	}
	b := away(token).browser()
	b.signIn("wrong", http.StatusUnauthorized)
	b.signIn("hyo-wrong", http.StatusServiceUnavailable)
	s := b.signIn(token, http.StatusCreated)
	if s.Role != "admin" || s.IdleExpires != nil || time.Until(*s.Expires).Round(time.Minute) != time.Hour {
		t.Errorf("%+v", s)
	}
	for _, other := range []*plane{p, away(token)} { // any daemon takes it
		c := other.browser()
		c.cookies = maps.Clone(b.cookies)
		c.want("GET", "/admin/nodes", "", http.StatusOK, "")
	}
	replaced := away("another-long-token").browser()
	replaced.cookies = maps.Clone(b.cookies)
	replaced.want("GET", "/admin/nodes", "", http.StatusUnauthorized, "sign in again")
	good := b.cookies["/admin gateway_session"]
	for _, forged := range []string{good + "0", "hye-9999999999." + good[15:], "hye-1." + good[15:], "hye-", "hye-x.y", "hys-unknown"} {
		b.cookies["/admin gateway_session"] = forged
		want := http.StatusUnauthorized
		if forged == "hys-unknown" {
			want = http.StatusServiceUnavailable
		}
		b.want("GET", "/admin/nodes", "", want, "")
	}
	b.cookies["/console gateway_session"] = good
	b.want("DELETE", adminapi.SessionPath, "", http.StatusOK, "")
}

// Without ADMIN_TOKEN everybody on this machine is an admin, and no one else.
func TestSessionsOfAnOpenAPI(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), func(o *app.Options) { o.Token, o.Open = secret.String{}, true })
	b := p.browser()
	b.want("GET", adminapi.SessionPath, "", http.StatusOK, `{"name":"","role":"admin","method":"local","expires":null,"idle_expires":null}`)
	b.want("POST", adminapi.SessionPath, `{"token":"x"}`, http.StatusConflict, "without ADMIN_TOKEN")
	b.want("DELETE", adminapi.SessionPath, "", http.StatusOK, "")
	b.send["Sec-Fetch-Site"] = "cross-site"
	b.want("POST", adminapi.SessionPath, `{"token":"x"}`, http.StatusForbidden, "cross-site")
	b.send["Host"] = "attacker.example"
	b.want("GET", adminapi.SessionPath, "", http.StatusForbidden, "localhost only")
}

// An admin sees who is signed in, and ends that: in the browser, too.
func TestSessionsAreListedAndRevoked(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		vera := p.operator("vera", "viewer")
		one, two, admin := p.browser(), p.browser(), p.browser()
		for _, b := range []*browser{one, two} {
			b.signIn(vera.token, http.StatusCreated)
		}
		admin.signIn(token, http.StatusCreated)
		expired := p.browser()
		expired.signIn(vera.token, http.StatusCreated)
		list := func(caller *plane) (all []adminapi.ConsoleSession) {
			t.Helper()
			caller.call("GET", "/admin/sessions", "", http.StatusOK, &all)
			return all
		}
		if n := len(list(p)); n != 4 {
			t.Errorf("%d sessions, want 4", n)
		}
		expired.want("DELETE", adminapi.SessionPath, "", http.StatusOK, "")
		var own []adminapi.ConsoleSession
		_, text := admin.do("GET", "/admin/sessions", "", nil)
		if err := json.Unmarshal([]byte(text), &own); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		current, ofVera := 0, ""
		for _, s := range own {
			if s.Current && s.Name == "" && s.Method == adminapi.MethodAdminToken {
				current++
			}
			if s.Name == "vera" && s.Role == "viewer" && !s.Current && s.IdleExpires.Before(s.Expires) {
				ofVera = s.ID
			}
		}
		if len(own) != 3 || current != 1 || ofVera == "" || strings.Contains(text, one.cookies["/admin gateway_session"]) {
			t.Fatalf("%s", text)
		}
		var ended []adminapi.ConsoleSession
		p.call("DELETE", "/admin/sessions/"+ofVera, `{"reason":"lost a laptop"}`, http.StatusOK, &ended)
		if len(ended) != 1 || ended[0].ID != ofVera || len(list(p)) != 2 {
			t.Errorf("%+v", ended)
		}
		p.refused("DELETE", "/admin/sessions/"+ofVera, `{}`, http.StatusNotFound, ofVera)
		p.call("DELETE", "/admin/sessions/vera", `{}`, http.StatusOK, &ended)
		for _, b := range []*browser{one, two} {
			b.want("GET", "/admin/whoami", "", http.StatusUnauthorized, "sign in again")
			if len(b.cookies) != 0 {
				t.Errorf("cookies of a revoked session: %v", b.cookies)
			}
		}
		admin.want("GET", "/admin/whoami", "", http.StatusOK, "")
		var log []adminapi.AuditEntry
		p.call("GET", "/admin/audit", "", http.StatusOK, &log)
		revoked := 0
		for _, e := range log {
			if e.Action == "session.revoke" && strings.HasPrefix(e.Target, "vera ses_") {
				revoked++
			}
		}
		if revoked != 2 {
			t.Errorf("%d revocations in the audit log", revoked)
		}
	})
}
