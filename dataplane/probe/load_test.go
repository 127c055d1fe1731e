package probe_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// metricsServer is a healthy server whose metrics can be changed.
func metricsServer(t *testing.T) (url string, metrics *atomic.Pointer[string]) {
	metrics = &atomic.Pointer[string]{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		text := metrics.Load()
		switch {
		case q.URL.Path == "/health":
		case q.URL.Path == "/metrics" && text != nil:
			_, _ = w.Write([]byte(*text))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1", metrics
}

// watchLoad probes a server and returns its endpoint, and what is logged.
func watchLoad(t *testing.T, url string) (*snapshot.Endpoint, *logtest.Buffer) {
	b := snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return "", false }}
	m := wire.Model{
		ID: "m", Type: "chat", InputModalities: []string{"text"}, OutputModalities: []string{"text"},
		Endpoints: []wire.Endpoint{{ID: "m:x", Kind: "vllm", Weight: 1, BaseURL: url, UpstreamModel: "m", Probe: true}},
	}
	check := wire.HealthCheck{IntervalMS: 10, TimeoutMS: 1000, Metrics: "/metrics"}
	s, err := b.Build(&wire.Release{Epoch: 1, Number: 1, Snapshot: wire.Snapshot{Models: []wire.Model{m}, HealthCheck: check}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var current atomic.Pointer[snapshot.Snapshot]
	current.Store(s)
	logged := &logtest.Buffer{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- probe.New(&current, slog.New(slog.NewTextHandler(logged, nil))).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.Models[0].Endpoints[0], logged
}

func TestLoadOfServers(t *testing.T) {
	url, metrics := metricsServer(t)
	e, logged := watchLoad(t, url)
	becomes := func(name string, want upstream.Load) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		said := string(text)
		metrics.Store(&said)
		eventually.True(t, "the load of "+name+" is known", func() bool {
			l, ok := e.State.ServerLoad(time.Now())
			return ok && l == want
		})
	}
	eventually.True(t, "it is logged that there is none", func() bool { return strings.Contains(logged.String(), "cannot be read") })
	if _, ok := e.State.ServerLoad(time.Now()); ok || !e.Available(time.Now()) {
		t.Error("a server without metrics has a load, or is out of service")
	}
	becomes("vllm.txt", upstream.Load{Running: 21, Waiting: 3, Cache: 0.8125})
	becomes("sglang.txt", upstream.Load{Running: 31, Cache: 0.97})
	if !strings.Contains(logged.String(), "is known") {
		t.Error(logged.String())
	}
	for text, want := range map[string]string{"vllm:num_requests_running{": "malformed", "up 1\n": "neither vLLM's nor SGLang's"} {
		metrics.Store(&text)
		eventually.True(t, "it is logged what is wrong", func() bool { return strings.Contains(logged.String(), want) })
		eventually.True(t, "an old load does not count", func() bool {
			_, ok := e.State.ServerLoad(time.Now().Add(2 * time.Second))
			return !ok && e.Available(time.Now())
		})
		becomes("vllm.txt", upstream.Load{Running: 21, Waiting: 3, Cache: 0.8125})
	}
	if n := strings.Count(logged.String(), "cannot be read"); n != 3 {
		t.Errorf("logged %d times:\n%s", n, logged)
	}
}
