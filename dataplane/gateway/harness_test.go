package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/meter"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

// node is a running gateway whose usage events can be read.
type node struct {
	t       *testing.T
	url     string
	gw      *gateway.Gateway
	current atomic.Pointer[snapshot.Snapshot]
	builder snapshot.Builder
	stop    func()

	mu     sync.Mutex
	events []*wire.Usage
}

type nodeOptions struct {
	gateway  gateway.Options
	timeouts upstream.Timeouts
	breaker  upstream.BreakerSettings
	keys     *wire.KeyTable
}

func start(t *testing.T, o nodeOptions, models ...wire.Model) *node {
	t.Helper()
	n := &node{t: t}
	n.builder = snapshot.Builder{
		Senders: upstream.NewSenders(2 * time.Second), Timeouts: o.timeouts, Breaker: o.breaker, Limits: o.gateway.Limits, Metrics: o.gateway.Metrics,
		Secret: func(name string) (string, bool) { return "secret-" + name, !strings.HasPrefix(name, "UNSET") },
	}
	n.load(o.keys, models...)
	log := o.gateway.Log
	if log == nil {
		log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	o.gateway.Addr, o.gateway.Node, o.gateway.Log = "127.0.0.1:0", "test", log
	m := meter.New(meter.DefaultLimit, nil, log)
	gw, err := gateway.New(o.gateway, &n.current, m)
	if err != nil {
		t.Fatal(err)
	}
	n.gw, n.url = gw, "http://"+gw.Addr()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	metered, stopMeter := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := gw.Run(ctx); err != nil {
			t.Error(err)
		}
		stopMeter()
	})
	wg.Go(func() {
		if err := m.Run(metered, time.Second, n.collect); err != nil {
			t.Error(err)
		}
	})
	n.stop = sync.OnceFunc(func() {
		http.DefaultClient.CloseIdleConnections() // a stop would wait for them
		cancel()
		wg.Wait()
	})
	t.Cleanup(n.stop)
	return n
}

func (n *node) load(keys *wire.KeyTable, models ...wire.Model) {
	n.t.Helper()
	s, err := n.builder.Build(&wire.Release{Epoch: 1, Number: 7, Snapshot: wire.Snapshot{Models: models}}, keys)
	if err != nil {
		n.t.Fatal(err)
	}
	n.current.Store(s)
}

func (n *node) collect(_ context.Context, b meter.Batch) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for line := range bytes.Lines(b.Lines) {
		u, err := wire.DecodeUsage(line)
		if err != nil {
			n.t.Error(err)
			continue
		}
		n.events = append(n.events, u)
	}
	return nil
}

// event waits for the i-th usage event.
func (n *node) event(i int) *wire.Usage {
	n.t.Helper()
	eventually.True(n.t, fmt.Sprintf("usage event %d arrives", i), func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.events) > i
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.events[i]
}

type reply struct {
	*http.Response
	body string
}

func (n *node) do(method, path, body string, headers ...string) reply {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), method, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatalf("read the answer after %q: %v", b, err)
	}
	r := reply{resp, string(b)}
	published().judge(n.t, method, path, body, r)
	return r
}

func (n *node) chat(body string, headers ...string) reply {
	return n.do(http.MethodPost, "/v1/chat/completions", body, headers...)
}

func model(id string, endpoints ...wire.Endpoint) wire.Model {
	return wire.Model{
		ID: id, Name: id, Type: "chat", ContextLength: 8192, MaxOutputLength: 4096, InputModalities: []string{"text"}, OutputModalities: []string{"text"},
		SupportedParameters: []string{"temperature"}, SupportsTools: true, Endpoints: endpoints,
		Pricing: wire.Pricing{Prompt: "0.3", Completion: "1.2"},
	}
}

func endpoint(id, kind, url string) wire.Endpoint {
	return wire.Endpoint{ID: id, Kind: kind, Provider: strings.ToUpper(kind), Weight: 1, BaseURL: url, UpstreamModel: "up-" + id, ZDR: true, NoCollection: true, Pricing: wire.Pricing{Prompt: "0.3", Completion: "1.2"}}
}

const ping = `{"messages":[{"role":"user","content":"Ping"}],"max_tokens":64}`

// server is an upstream with the given handler.
func server(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

// refuses is an upstream that answers everything with an error.
func refuses(t *testing.T, status int, body string, headers ...string) string {
	t.Helper()
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

const keySecret = "the secret under which keys are hashed"

// keyTable accepts keys by their text.
func keyTable(keys map[string]wire.Key) *wire.KeyTable {
	t := &wire.KeyTable{Epoch: 1, Version: 1}
	for text, k := range keys {
		mac := hmac.New(sha256.New, []byte(keySecret))
		_, _ = io.WriteString(mac, text)
		k.Hash = hex.EncodeToString(mac.Sum(nil))
		t.Keys = append(t.Keys, k)
	}
	return t
}

// guarded are the options of a node that asks for keys.
func guarded(keys map[string]wire.Key) nodeOptions {
	return nodeOptions{gateway: gateway.Options{Auth: true, KeySecret: secret.New(keySecret)}, keys: keyTable(keys)}
}

// decode reads an answer.
func decode[T any](t *testing.T, r reply, status int) T {
	t.Helper()
	var v T
	if r.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", r.StatusCode, status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return v
}

// lines reads a body line by line until it ends.
func lines(t *testing.T, body io.Reader) iter.Seq[string] {
	return func(yield func(string) bool) {
		s := bufio.NewScanner(body)
		for s.Scan() {
			if !yield(s.Text()) {
				return
			}
		}
		if s.Err() != nil {
			t.Error(s.Err())
		}
	}
}
