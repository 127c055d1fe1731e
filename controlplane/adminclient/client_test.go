package adminclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/shared/secret"
)

const goodStatus = `{"version":"v1","release":3}`

// daemon answers the first requests as its script says, every later one well.
type daemon struct {
	script []http.HandlerFunc
	asked  atomic.Int64
}

func (d *daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if n := int(d.asked.Add(1)); n <= len(d.script) {
		d.script[n-1](w, r)
		return
	}
	_, _ = io.WriteString(w, goodStatus)
}

func serve(t *testing.T, script ...http.HandlerFunc) (*daemon, *adminclient.Client) {
	t.Helper()
	d := &daemon{script: script}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return d, client(t, adminclient.Options{URL: server.URL})
}

func client(t *testing.T, opts adminclient.Options) *adminclient.Client {
	t.Helper()
	c, err := adminclient.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// broken is a 500 with the daemon's own words.
func broken(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, `{"error":{"code":500,"message":"the database is gone"}}`)
}

func TestReadsAreTriedAgain(t *testing.T) {
	d, c := serve(t, cut, broken)
	s, err := c.Status(t.Context())
	if err != nil || s.Release != 3 || d.asked.Load() != 3 {
		t.Errorf("%+v, %v after %d requests", s, err, d.asked.Load())
	}
}

func TestReadsGiveUp(t *testing.T) {
	d, c := serve(t, broken, broken, broken, broken, broken)
	_, err := c.Status(t.Context())
	refused, ok := errors.AsType[*adminclient.Error](err)
	if !ok || refused.Status != 500 || refused.Message != "the database is gone" || d.asked.Load() != 4 {
		t.Errorf("%v after %d requests", err, d.asked.Load())
	}
}

func TestWritesAreSentOnce(t *testing.T) {
	for name, fault := range map[string]http.HandlerFunc{"cut": cut, "5xx": broken} {
		d, c := serve(t, fault, fault)
		if _, err := c.CreateKey(t.Context(), adminapi.KeySpec{Name: "x"}, adminapi.KeyChange{}); err == nil || d.asked.Load() != 1 {
			t.Errorf("%s: %v after %d requests", name, err, d.asked.Load())
		}
	}
}

// notReady is a daemon that does not have its database yet.
func notReady(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"error":{"code":503,"message":"the database is unreachable"}}`)
}

func TestWritesWaitForAStartingDaemon(t *testing.T) {
	d, c := serve(t, notReady, notReady, notReady, notReady, notReady)
	if _, err := c.CreateKey(t.Context(), adminapi.KeySpec{Name: "x"}, adminapi.KeyChange{}); err != nil || d.asked.Load() != 6 {
		t.Errorf("%v after %d requests", err, d.asked.Load())
	}
	script := make([]http.HandlerFunc, 100)
	for i := range script {
		script[i] = notReady
	}
	server := httptest.NewServer(&daemon{script: script})
	t.Cleanup(server.Close)
	c = client(t, adminclient.Options{URL: server.URL, Timeout: 500 * time.Millisecond})
	_, err := c.Status(t.Context())
	if refused, ok := errors.AsType[*adminclient.Error](err); !ok || refused.Message != "the database is unreachable" {
		t.Errorf("a daemon that never becomes ready: %v", err)
	}
}

// refusing is a daemon that comes up after some attempts.
type refusing struct {
	left   int
	bodies []string
}

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.left--; r.left >= 0 {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.bodies = append(r.bodies, string(body))
	req.Body = io.NopCloser(strings.NewReader(string(body)))
	return http.DefaultTransport.RoundTrip(req)
}

func TestWritesWaitForAListener(t *testing.T) {
	d := &daemon{}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	late := &refusing{left: 2}
	c := client(t, adminclient.Options{URL: server.URL, Transport: late})
	made, err := c.Rollback(t.Context(), 2, adminapi.Change{Reason: "r", WaitMS: 1000})
	if err != nil || made.Release != 3 || d.asked.Load() != 1 {
		t.Errorf("%+v, %v after %d requests", made, err, d.asked.Load())
	}
	if want := `{"reason":"r","wait_ms":1000}`; len(late.bodies) != 1 || late.bodies[0] != want {
		t.Errorf("sent %q, want %q", late.bodies, want)
	}
}

func TestHeaders(t *testing.T) {
	var seen http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		_, _ = io.WriteString(w, goodStatus)
	}))
	t.Cleanup(server.Close)
	c := client(t, adminclient.Options{URL: server.URL + "/below/", Token: secret.New("t0ken"), Author: "Jürgen", UserAgent: "gatewayctl/v1"})
	if _, err := c.ResetWeights(t.Context(), adminapi.WeightReset{Model: "demo"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer t0ken", "X-Gateway-Author": "Jürgen", "User-Agent": "gatewayctl/v1",
		"Content-Type": "application/json", "Accept": "application/json",
	} {
		if got := seen.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	var seen string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Method + " " + r.URL.RequestURI()
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	f := func(base, id, want string) {
		t.Helper()
		if _, err := client(t, adminclient.Options{URL: server.URL + base}).Node(t.Context(), id); err != nil || seen != "GET "+want {
			t.Errorf("%s %q asked for %s, want %s, %v", base, id, seen, want, err)
		}
	}
	f("", "node-1", "/admin/nodes/node-1")
	f("/", "node-1", "/admin/nodes/node-1")
	f("/gw/", "node-1", "/gw/admin/nodes/node-1")
	f("", "a/b?c#d e%", "/admin/nodes/a%2Fb%3Fc%23d%20e%25")
	f("", "..", "/admin/nodes/%2E%2E")
	f("", ".", "/admin/nodes/%2E")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	d, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example/admin/status", http.StatusMovedPermanently)
	})
	_, err := c.Status(t.Context())
	want := c.URL() + " is not the admin API, it answers 301 Moved Permanently and points to https://elsewhere.example/admin/status"
	if err == nil || err.Error() != want || d.asked.Load() != 1 {
		t.Errorf("%v after %d requests", err, d.asked.Load())
	}
}

func TestUnknownCertificate(t *testing.T) {
	d := &daemon{}
	server := httptest.NewUnstartedServer(d)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, err := client(t, adminclient.Options{URL: server.URL}).Status(t.Context())
	if _, ok := errors.AsType[*adminclient.Unreachable](err); !ok || !strings.Contains(err.Error(), "certificate") || d.asked.Load() != 0 {
		t.Errorf("%v after %d requests", err, d.asked.Load())
	}
	known := adminclient.Options{URL: server.URL, Transport: server.Client().Transport}
	if s, err := client(t, known).Status(t.Context()); err != nil || s.Release != 3 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTheWaitIsOnTopOfTheTimeout(t *testing.T) {
	answer := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-answer:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, goodStatus)
	}))
	t.Cleanup(server.Close)
	c := client(t, adminclient.Options{URL: server.URL, Timeout: 30 * time.Millisecond})
	_, err := c.SetWeights(t.Context(), adminapi.WeightChange{Change: adminapi.Change{WaitMS: 20}})
	if gone, ok := errors.AsType[*adminclient.Unreachable](err); !ok || gone.Cause != "no response within 50ms" {
		t.Errorf("%v", err)
	}
	close(answer)
}

func TestCancelledByTheCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, c := serve(t, func(http.ResponseWriter, *http.Request) { cancel(); panic(http.ErrAbortHandler) })
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestOptions(t *testing.T) {
	f := func(opts adminclient.Options, want adminclient.Option) {
		t.Helper()
		_, err := adminclient.New(opts)
		bad, ok := adminclient.AsInvalid(err)
		if !ok || bad.Option != want {
			t.Errorf("%+v: %v, want a problem with the %s", opts, err, want)
		}
		if text := fmt.Sprint(err); strings.Contains(text, "hunter2") {
			t.Errorf("%q tells a secret", text)
		}
	}
	for _, url := range []string{
		"localhost:8081", "127.0.0.1:8081", "ftp://a", "http://", "/admin", "http://a b/", "http://root:hunter2@a", "http://a?token=hunter2", "http://a#b", "http://[::1",
	} {
		f(adminclient.Options{URL: url}, adminclient.OptionURL)
	}
	f(adminclient.Options{Token: secret.New("hunter2\n")}, adminclient.OptionToken)
	f(adminclient.Options{Author: "a\r\nX-Other: b"}, adminclient.OptionAuthor)
	if c := client(t, adminclient.Options{}); c.URL() != adminclient.DefaultURL {
		t.Errorf("%s without options", c.URL())
	}
}

// FuzzAnswers sends bytes of any kind as answers of any status.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"error":{"code":400,"message":"broken","metadata":{"problems":["a.yaml:1: x"]}}}`)
	f.Add(0, `{"nodes":null}`)
	f.Add(102, `{"error":"text"}`)
	f.Add(303, `[]`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		c := client(t, adminclient.Options{Transport: fixed{200 + (status%400+400)%400, body}})
		made, err := c.Apply(t.Context(), adminapi.Application{})
		if err != nil && err.Error() == "" {
			t.Errorf("%d %q became an error without words", status, body)
		}
		if err == nil && made.Nodes == nil {
			t.Errorf("%q left no list", body)
		}
	})
}

// fixed answers everything alike.
type fixed struct {
	status int
	body   string
}

func (f fixed) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: f.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(f.body)), Request: req}, nil
}
