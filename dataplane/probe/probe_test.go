package probe_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/probe"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/logs/logtest"
	"github.com/hybridinference/gateway/shared/wire"
)

// rig is a prober of two models at one server, of which the second is not watched.
type rig struct {
	t       *testing.T
	current atomic.Pointer[snapshot.Snapshot]
	builder snapshot.Builder
	status  atomic.Int64
	asked   atomic.Int64
	url     string
	check   wire.HealthCheck
}

func newRig(t *testing.T, kind, path string) *rig {
	return newRigWith(t, kind, path, wire.HealthCheck{})
}

func newRigWith(t *testing.T, kind, path string, check wire.HealthCheck) *rig {
	r := &rig{t: t, check: check, builder: snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return "", false }}}
	r.status.Store(200)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != path || q.Method != http.MethodGet {
			t.Errorf("%s %s", q.Method, q.URL)
		}
		r.asked.Add(1)
		w.WriteHeader(int(r.status.Load()))
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + "/v1"
	r.load(kind, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- probe.New(&r.current, slog.New(slog.NewTextHandler(t.Output(), nil))).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) load(kind string, interval int64) {
	r.t.Helper()
	r.check.IntervalMS, r.check.TimeoutMS = interval, 1000
	models := []wire.Model{}
	for _, id := range []string{"watched", "other"} {
		models = append(models, wire.Model{
			ID: id, Type: "chat", InputModalities: []string{"text"}, OutputModalities: []string{"text"},
			Endpoints: []wire.Endpoint{{ID: id + ":x", Kind: kind, Weight: 1, BaseURL: r.url, UpstreamModel: "m", Probe: id == "watched"}},
		})
	}
	s, err := r.builder.Build(&wire.Release{Epoch: 1, Number: 1, Snapshot: wire.Snapshot{Models: models, HealthCheck: r.check}}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.current.Store(s)
}

// becomes waits until the watched endpoint is available, or is not.
func (r *rig) becomes(available bool) {
	r.t.Helper()
	what := fmt.Sprintf("the endpoint's availability is %v", available)
	eventually.True(r.t, what, func() bool { return r.endpoint(0).Available(time.Now()) == available })
}

func (r *rig) endpoint(model int) *snapshot.Endpoint {
	return r.current.Load().Models[model].Endpoints[0]
}

func TestEndpointsGoAndComeBack(t *testing.T) {
	r := newRig(t, "vllm", "/health")
	r.status.Store(503)
	r.becomes(false)
	if word, reason := r.endpoint(0).State.Condition(time.Now()); word != "probe_failed" || !strings.Contains(reason, "status 503") {
		t.Errorf("%s: %s", word, reason)
	}
	if !r.endpoint(1).Available(time.Now()) {
		t.Error("an endpoint that nobody watches is out")
	}
	r.status.Store(200)
	r.becomes(true)
	if share := r.endpoint(0).State.Share(time.Now()); share > 0.5 {
		t.Errorf("it comes back with %v of its weight at once", share)
	}
	// what is no longer watched is taken for healthy
	r.status.Store(500)
	r.becomes(false)
	r.load("vllm", 0)
	r.becomes(true)
}

// The path and the statuses of a healthy server can be told.
func TestPathAndStatuses(t *testing.T) {
	r := newRigWith(t, "vllm", "/v1/models", wire.HealthCheck{Path: "/v1/models", Statuses: []int{200, 401}})
	asked := func() {
		t.Helper()
		before := r.asked.Load()
		eventually.True(t, "it is asked again and again", func() bool { return r.asked.Load() > before+3 })
	}
	r.status.Store(401)
	asked()
	r.becomes(true)
	r.status.Store(204) // not among the accepted
	r.becomes(false)
	r.status.Store(401)
	r.becomes(true)
}

// A server that has no such path is found out: it serves on, and is reported.
func TestAServerWithoutHealthCheck(t *testing.T) {
	for _, status := range []int64{404, 405, 501} {
		r := newRig(t, "vllm", "/health")
		r.status.Store(503)
		r.becomes(false)
		r.status.Store(status)
		r.becomes(true)
		before := r.asked.Load()
		eventually.True(t, "it is asked again and again", func() bool { return r.asked.Load() > before+3 })
		word, reason := r.endpoint(0).State.Condition(time.Now())
		if !r.endpoint(0).Available(time.Now()) || word != "unprobed" || !strings.Contains(reason, "health_check.path") {
			t.Errorf("%d: %s: %s", status, word, reason)
		}
		troubled := r.current.Load().Troubled(time.Now())
		if len(troubled) != 1 || troubled[0].State != "unprobed" {
			t.Errorf("%d: reported as %+v", status, troubled)
		}
		r.status.Store(200)
		eventually.True(t, "a health check that is there is believed", func() bool {
			word, _ := r.endpoint(0).State.Condition(time.Now())
			return word == "closed"
		})
	}
}

func TestOllamaHasNoHealth(t *testing.T) {
	r := newRig(t, "ollama", "/")
	r.status.Store(500)
	r.becomes(false)
}

// A probe has the headers that the endpoint's requests have, and what the server
// makes of their secrets is in no log and no state.
func TestProbesHaveTheEndpointsHeaders(t *testing.T) {
	const secret = "Secret77-of-the-header"
	seen := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		select {
		case seen <- q.Header:
		default:
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", q.Header.Get("X-Portkey-Key")) // net/http quotes what is no status
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	b := snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return secret, true }}
	s, err := b.Build(&wire.Release{Epoch: 1, Number: 1, Snapshot: wire.Snapshot{HealthCheck: wire.HealthCheck{IntervalMS: 10, TimeoutMS: 1000}, Models: []wire.Model{{
		ID: "m", Type: "chat", InputModalities: []string{"text"}, OutputModalities: []string{"text"},
		Endpoints: []wire.Endpoint{{
			ID: "m:x", Kind: "vllm", Weight: 1, BaseURL: server.URL, UpstreamModel: "m", Probe: true,
			ExtraHeaders: map[string]string{"X-Team": "blue"}, SecretHeaders: map[string]string{"X-Portkey-Key": "PORTKEY_KEY"},
		}},
	}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var current atomic.Pointer[snapshot.Snapshot]
	current.Store(s)
	var log logtest.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- probe.New(&current, slog.New(slog.NewTextHandler(&log, nil))).Run(ctx) }()
	if h := <-seen; h.Get("X-Team") != "blue" || h.Get("X-Portkey-Key") != secret {
		t.Errorf("headers %v", h)
	}
	eventually.True(t, "the endpoint is out", func() bool { return strings.Contains(log.String(), "out of service") })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	troubled := fmt.Sprintf("%+v", s.Troubled(time.Now()))
	if strings.Contains(log.String()+troubled, secret) || !strings.Contains(log.String(), "redacted") {
		t.Errorf("the secret leaks: %s %s", &log, troubled)
	}
}
