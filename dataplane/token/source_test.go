package token_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/token"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/secret"
)

// server is a token server that does what the test says.
type server struct {
	*httptest.Server
	key   *rsa.PrivateKey
	calls atomic.Int64
	// answer writes the n-th answer, counted from 1.
	answer atomic.Pointer[func(n int64, w http.ResponseWriter, r *http.Request)]
}

func start(t *testing.T) *server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{key: key}
	s.play(grants)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.answer.Load())(s.calls.Add(1), w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) play(f func(int64, http.ResponseWriter, *http.Request)) { s.answer.Store(&f) }

// grants answers with the tokens t1, t2, ...
func grants(n int64, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"access_token":"t` + strconv.FormatInt(n, 10) + `","expires_in":3599,"token_type":"Bearer"}`))
}

func refuses(status int, body string) func(int64, http.ResponseWriter, *http.Request) {
	return func(_ int64, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// account is the key file of a service account at the server.
func (s *server) account(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "key-7", "client_email": "gateway@p.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": s.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}

// clock is a clock that the test moves.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }
func (c *clock) options(s string) token.Options {
	return token.Options{Secret: secret.New(s), Now: c.now}
}

func newSource(t *testing.T, o token.Options) *token.Source {
	t.Helper()
	s, err := token.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func want(t *testing.T, s *token.Source, token string) {
	t.Helper()
	if got, err := s.Token(t.Context()); err != nil || got != token {
		t.Fatalf("token %q, %v; want %q", got, err, token)
	}
}

// renewed waits until the source hands out a token.
func renewed(t *testing.T, s *token.Source, token string) {
	t.Helper()
	eventually.Nil(t, 10*time.Second, "the token is "+token, func() error {
		got, err := s.Token(t.Context())
		if err == nil && got != token {
			err = fmt.Errorf("token %q", got)
		}
		return err
	})
}

func TestAssertion(t *testing.T) {
	srv := start(t)
	problems := make(chan string, 10)
	srv.play(func(n int64, w http.ResponseWriter, r *http.Request) {
		for _, p := range checkAssertion(srv, r) {
			problems <- p
		}
		grants(n, w, r)
	})
	want(t, newSource(t, token.Options{Secret: secret.New(srv.account(t))}), "t1")
	close(problems)
	for p := range problems {
		t.Error(p)
	}
}

// checkAssertion says what is wrong with a request for a token.
func checkAssertion(srv *server, r *http.Request) (problems []string) {
	say := func(ok bool, text string) {
		if !ok {
			problems = append(problems, text)
		}
	}
	say(r.Method == http.MethodPost && r.FormValue("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer", "grant type "+r.FormValue("grant_type"))
	parts := strings.Split(r.FormValue("assertion"), ".")
	if len(parts) != 3 {
		return append(problems, "not a JWT: "+r.FormValue("assertion"))
	}
	decode := func(text string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(text)
		say(err == nil, "not base64url: "+text)
		return b
	}
	var head struct {
		Alg string `json:"alg"`
		Typ string `json:"typ"`
		Kid string `json:"kid"`
	}
	say(json.Unmarshal(decode(parts[0]), &head) == nil && head.Alg == "RS256" && head.Typ == "JWT" && head.Kid == "key-7", "header "+parts[0])
	var claims struct {
		Iss   string `json:"iss"`
		Scope string `json:"scope"`
		Aud   string `json:"aud"`
		Iat   int64  `json:"iat"`
		Exp   int64  `json:"exp"`
	}
	say(json.Unmarshal(decode(parts[1]), &claims) == nil, "claims")
	say(claims.Iss == "gateway@p.iam.gserviceaccount.com", "iss "+claims.Iss)
	say(claims.Scope == "https://www.googleapis.com/auth/cloud-platform", "scope "+claims.Scope)
	say(claims.Aud == srv.URL, "aud "+claims.Aud)
	age := time.Since(time.Unix(claims.Iat, 0))
	say(age >= 0 && age < time.Minute && claims.Exp > claims.Iat && claims.Exp <= claims.Iat+3600, "iat or exp")
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	say(rsa.VerifyPKCS1v15(&srv.key.PublicKey, crypto.SHA256, sum[:], decode(parts[2])) == nil, "the signature does not fit")
	return problems
}

func TestOneFetchForAll(t *testing.T) {
	srv := start(t)
	release := make(chan struct{})
	srv.play(func(n int64, w http.ResponseWriter, r *http.Request) {
		<-release
		grants(n, w, r)
	})
	s := newSource(t, token.Options{Secret: secret.New(srv.account(t))})
	var wg sync.WaitGroup
	var asked atomic.Int64
	for range 50 {
		wg.Go(func() {
			asked.Add(1)
			if got, err := s.Token(t.Context()); err != nil || got != "t1" {
				t.Errorf("token %q, %v", got, err)
			}
		})
	}
	eventually.True(t, "everyone waits for one fetch", func() bool { return asked.Load() == 50 && srv.calls.Load() > 0 })
	close(release)
	wg.Wait()
	want(t, s, "t1")
	if n := srv.calls.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

func TestCallerLeaves(t *testing.T) {
	srv := start(t)
	release := make(chan struct{})
	srv.play(func(n int64, w http.ResponseWriter, r *http.Request) {
		<-release
		grants(n, w, r)
	})
	s := newSource(t, token.Options{Secret: secret.New(srv.account(t))})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Token(ctx); fault.KindOf(err) != fault.Canceled {
		t.Errorf("%v, want canceled", err)
	}
	close(release)
	want(t, s, "t1") // the fetch that the first caller began
	if n := srv.calls.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

func TestRefreshAhead(t *testing.T) {
	srv, c := start(t), &clock{}
	s := newSource(t, c.options(srv.account(t)))
	want(t, s, "t1")
	c.advance(54 * time.Minute)
	want(t, s, "t1")
	if n := srv.calls.Load(); n != 1 {
		t.Fatalf("%d fetches before it was time, want 1", n)
	}
	release := make(chan struct{})
	srv.play(func(n int64, w http.ResponseWriter, r *http.Request) {
		<-release
		grants(n, w, r)
	})
	c.advance(61 * time.Second)
	for range 10 {
		want(t, s, "t1") // no one waits for the new one
	}
	close(release)
	renewed(t, s, "t2")
	if n := srv.calls.Load(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}

func TestFailedRefresh(t *testing.T) {
	srv, c := start(t), &clock{}
	var log strings.Builder
	var mu sync.Mutex
	o := c.options(srv.account(t))
	o.Log = slog.New(slog.NewTextHandler(writer(func(b []byte) { mu.Lock(); log.Write(b); mu.Unlock() }), nil))
	s := newSource(t, o)
	want(t, s, "t1")

	srv.play(refuses(400, `{"error":"invalid_grant","error_description":"Invalid JWT: check your clock"}`))
	c.advance(56 * time.Minute)
	logged := func() string { mu.Lock(); defer mu.Unlock(); return log.String() }
	eventually.True(t, "the failure is logged", func() bool {
		want(t, s, "t1") // it is still good
		return logged() != ""
	})
	if got := logged(); !strings.Contains(got, "invalid_grant (Invalid JWT: check your clock)") || srv.calls.Load() != 2 {
		t.Errorf("%d fetches, log %s", srv.calls.Load(), got)
	}
	c.advance(6 * time.Second) // the pause is over
	eventually.True(t, "it is fetched again", func() bool {
		want(t, s, "t1")
		return srv.calls.Load() >= 3
	})

	c.advance(4 * time.Minute) // and so is the token's life
	for range 5 {
		_, err := s.Token(t.Context())
		if fault.KindOf(err) != fault.Authentication || !strings.Contains(err.Error(), "invalid_grant") {
			t.Fatalf("%v, want the server's refusal", err)
		}
	}
	if n := srv.calls.Load(); n > 4 {
		t.Errorf("%d fetches: a failure has to stand for a while", n)
	}
	srv.play(grants)
	c.advance(6 * time.Second)
	if got, err := s.Token(t.Context()); err != nil || got == "t1" {
		t.Errorf("token %q, %v; want a new one", got, err)
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

func TestTransientFailuresAreRepeated(t *testing.T) {
	srv := start(t)
	srv.play(func(n int64, w http.ResponseWriter, r *http.Request) {
		if n < 3 {
			refuses(503, "busy")(n, w, r)
			return
		}
		grants(n, w, r)
	})
	want(t, newSource(t, token.Options{Secret: secret.New(srv.account(t))}), "t3")
}

func TestFailures(t *testing.T) {
	srv := start(t)
	account := srv.account(t)
	f := func(status int, body string, kind fault.Kind, text string) {
		t.Helper()
		srv.play(refuses(status, body))
		_, err := newSource(t, token.Options{Secret: secret.New(account)}).Token(t.Context())
		got := fault.From(err)
		if got.Kind != kind || !got.Unsent || !strings.Contains(err.Error(), text) {
			t.Errorf("%d %s: %v, want %v with %q", status, body, err, kind, text)
		}
		if strings.Contains(got.Message, "token server") || strings.Contains(err.Error(), "eyJsecret") {
			t.Errorf("%v says too much", err)
		}
	}
	f(401, `{"error":"invalid_client","error_description":"no such account"}`, fault.Authentication, "status 401: invalid_client (no such account)")
	f(400, `{"error":"invalid_grant","error_description":"bad assertion eyJsecretsecretsecret"}`, fault.Authentication, "invalid_grant (bad assertion [redacted])")
	f(403, `<html>eyJsecret</html>`, fault.Authentication, "status 403: no reason given")
	f(500, `eyJsecret`, fault.Unavailable, "status 500: no reason given")
	f(200, `not JSON`, fault.Unavailable, "get a token")
	srv.Close()
	_, err := newSource(t, token.Options{Secret: secret.New(account)}).Token(t.Context())
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v, want unavailable", err)
	}
}

func TestInvalidate(t *testing.T) {
	srv, c := start(t), &clock{}
	s := newSource(t, c.options(srv.account(t)))
	want(t, s, "t1")
	if s.Invalidate("t1") {
		t.Error("a token that has just come was dropped")
	}
	want(t, s, "t1")
	c.advance(time.Minute)
	if !s.Invalidate("t1") {
		t.Error("a refused token was kept")
	}
	want(t, s, "t2")
	if !s.Invalidate("t1") { // another request learns late of the same refusal
		t.Error("there is a newer token, but another attempt is said not to be worth it")
	}
	want(t, s, "t2")
}

func TestReadyToken(t *testing.T) {
	c := &clock{}
	for _, text := range []string{"ya29.abc", " Bearer ya29.abc\n"} {
		s := newSource(t, c.options(text))
		want(t, s, "ya29.abc")
		c.advance(time.Hour)
		if s.Invalidate("ya29.abc") {
			t.Error("there is no other token than the given one")
		}
		want(t, s, "ya29.abc")
	}
}

func TestAmbientCredentials(t *testing.T) {
	srv := start(t)
	file := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(file, []byte(srv.account(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	c := &clock{}
	s := newSource(t, c.options(""))
	want(t, s, "t1")
	c.advance(2 * time.Hour)
	want(t, s, "t2") // the library's own cache is not in the way
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	c.advance(2 * time.Hour)
	if _, err := s.Token(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v, want unavailable", err)
	}
}

func TestRecordedAnswer(t *testing.T) {
	root := os.Getenv("GATEWAY_FIXTURES")
	body := []byte(`{"access_token":"<GOOGLE_ACCESS_TOKEN>","expires_in":3599,"scope":"a b","token_type":"Bearer"}`)
	if root != "" {
		var err error
		if body, err = os.ReadFile(filepath.Join(root, "vertex-claude", "oauth-token", "response.json")); err != nil {
			t.Fatal(err)
		}
	}
	srv := start(t)
	srv.play(refuses(200, string(body)))
	want(t, newSource(t, token.Options{Secret: secret.New(srv.account(t))}), "<GOOGLE_ACCESS_TOKEN>")
}

func TestBadSecrets(t *testing.T) {
	srv := start(t)
	good := srv.account(t)
	without := func(name string, value any) string {
		var file map[string]any
		if err := json.Unmarshal([]byte(good), &file); err != nil {
			t.Fatal(err)
		}
		file[name] = value
		b, _ := json.Marshal(file)
		return string(b)
	}
	f := func(text, message string) {
		t.Helper()
		_, err := token.New(t.Context(), token.Options{Secret: secret.New(text)})
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%v, want %q", err, message)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "PRIVATE KEY")) {
			t.Errorf("%v shows the secret", err)
		}
	}
	f(`{"type":"service_account","private_key":"hunter2`, "not valid JSON")
	f(`{"type":"web"}`, `type: "web" is not one of service_account`)
	f(`{}`, `type: "" is not one of`)
	f("two words hunter2", "must be the JSON of a service account, an access token, or empty")
	f(without("client_email", ""), "client_email: required")
	f(without("client_email", 7), "do not have the form")
	f(without("private_key", "hunter2"), "private_key: must be an RSA key in PEM form")
	f(without("private_key", "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n"), "private_key: must be an RSA key")
	f(without("token_uri", "ftp://x"), "token_uri: must be an http or https URL")
}

func TestCloseEndsFetches(t *testing.T) {
	srv := start(t)
	srv.play(func(_ int64, _ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server sees a client leave only after its body
		<-r.Context().Done()
	})
	s, err := token.New(t.Context(), token.Options{Secret: secret.New(srv.account(t))})
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := s.Token(t.Context())
		failed <- err
	}()
	eventually.True(t, "the fetch has begun", func() bool { return srv.calls.Load() > 0 })
	s.Close()
	if err := <-failed; err == nil {
		t.Error("a token came from nowhere")
	}
}

// A token server may repeat what it was sent, in any form: nothing of it gets out.
func TestFailuresShowNoSecret(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, assertion string){
		"in the description": func(w http.ResponseWriter, assertion string) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"bad assertion %s"}`, assertion)
		},
		"in the code": func(w http.ResponseWriter, assertion string) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, `{"error":"%s"}`, assertion)
		},
		"in HTML": func(w http.ResponseWriter, assertion string) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = fmt.Fprintf(w, "<html>%s</html>", assertion)
		},
		"in no JSON": func(w http.ResponseWriter, assertion string) { _, _ = io.WriteString(w, assertion) },
		"in no HTTP": func(w http.ResponseWriter, assertion string) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", assertion)
				_ = conn.Close()
			}
		},
	} {
		srv := start(t)
		var sent atomic.Pointer[string]
		srv.play(func(_ int64, w http.ResponseWriter, r *http.Request) {
			assertion := r.FormValue("assertion")
			sent.Store(&assertion)
			answer(w, assertion)
		})
		_, err := newSource(t, token.Options{Secret: secret.New(srv.account(t))}).Token(t.Context())
		f, ok := errors.AsType[*fault.Error](err)
		if !ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		signature := (*sent.Load())[strings.LastIndexByte(*sent.Load(), '.')+1:]
		if said := fmt.Sprint(f.Message, f.Raw, f.Code, f.Err); strings.Contains(said, signature[:20]) || strings.Contains(said, (*sent.Load())[:40]) {
			t.Errorf("%s: the assertion leaks: %s", name, said)
		}
	}
}

// Applications of Entra ID get tokens for their secret.
func TestEntra(t *testing.T) {
	srv := start(t)
	srv.play(func(n int64, w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Form.Encode() != "client_id=app&client_secret=hunter2&grant_type=client_credentials&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default" {
			t.Errorf("%v %v", r.Form, err)
		}
		grants(n, w, r)
	})
	app := `{"client_id":"app","client_secret":"hunter2","token_uri":"` + srv.URL + `/T/oauth2/v2.0/token"}`
	s := newSource(t, token.Options{Secret: secret.New(app), Entra: true})
	want(t, s, "t1")
	want(t, s, "t1")
	f := func(text, message string) {
		t.Helper()
		_, err := token.New(t.Context(), token.Options{Secret: secret.New(text), Entra: true})
		if err == nil || !strings.Contains(err.Error(), message) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v, want %q", err, message)
		}
	}
	f(`{"client_secret":"hunter2`, "is not valid JSON")
	f(`{"tenant_id":"T","client_id":"app"}`, "client_id and client_secret: required")
	f(`{"client_id":"app","client_secret":"hunter2"}`, "tenant_id: required")
	f(`{"tenant_id":"../T","client_id":"app","client_secret":"hunter2"}`, "tenant_id: required")
	f(`{"client_id":"app","client_secret":"hunter2","token_uri":"ftp://x"}`, "token_uri: must be an http or https URL")
	srv.play(refuses(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided: hunter2hunter2"}`))
	refused := newSource(t, token.Options{Secret: secret.New(app), Entra: true})
	if _, err := refused.Token(t.Context()); fault.KindOf(err) != fault.Authentication {
		t.Error(err)
	}
}
