package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// crowded is a model with one place, which is taken until open.
func crowded(t *testing.T, q wire.Queue) (m wire.Model, arrived <-chan struct{}, open func()) {
	t.Helper()
	url, arrived, open := gate(t)
	m = model("m", endpoint("m:x", "vllm", url))
	m.Queue, m.Endpoints[0].MaxConcurrency = &q, 1
	return m, arrived, open
}

func (n *node) waiting() int64 { return n.current.Load().Models[0].Queue.Waiting() }

// While a stream waits for a place its client gets what it gets while an upstream
// thinks; then the answer.
func TestAStreamWaitsForAPlace(t *testing.T) {
	m, arrived, open := crowded(t, wire.Queue{Size: 5, WaitMS: 10_000})
	n := start(t, nodeOptions{gateway: gateway.Options{KeepAlive: 30 * time.Millisecond}}, m)
	first := make(chan reply, 1)
	go func() { first <- n.chat(ping) }()
	<-arrived
	for _, path := range []string{"/v1/chat/completions", "/v1/messages", "/v1/responses"} {
		go func() {
			body := streamed(`{"model":"m",` + ping[1:])
			if path == "/v1/responses" {
				body = `{"input":"Ping","stream":true}`
			}
			first <- n.do(http.MethodPost, path, body)
		}()
	}
	eventually.True(t, "three wait", func() bool { return n.waiting() == 3 })
	if r := n.do("GET", "/health", ""); r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	explained := n.gw.Explain(&wire.Question{Path: "chat/completions", Body: []byte(ping)})
	if len(explained.Queues) != 1 || explained.Queues[0] != (wire.QueueState{Model: "m", Size: 5, WaitMS: 10_000, Waiting: 3}) || !strings.HasPrefix(explained.Tried[0].Reason, "waited for in the queue: full: 1 ") {
		t.Errorf("explained as %+v", explained)
	}
	time.Sleep(100 * time.Millisecond) // the keep-alive's time
	open()
	kept := 0
	for range 4 {
		r := <-first
		if r.StatusCode != 200 || !strings.Contains(r.body, "hello") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if strings.HasPrefix(r.body, ": ") || strings.HasPrefix(r.body, "event: ping") {
			kept++
		}
	}
	if kept != 3 {
		t.Errorf("%d of 3 streams were kept alive", kept)
	}
	queued := 0
	for i := range 4 {
		if e := n.event(i); e.QueuedMS > 0 {
			queued++
			if e.QueuedMS < 90 || e.QueuedMS > e.LatencyMS || e.End != wire.EndComplete {
				t.Errorf("%+v", e)
			}
		}
	}
	if queued != 3 {
		t.Errorf("%d events say that their request has waited", queued)
	}
}

// What gets no place is refused in the form of its language: with a status, or in
// the stream that has begun.
func TestAWaitInVain(t *testing.T) {
	m, arrived, open := crowded(t, wire.Queue{Size: 1, WaitMS: 200})
	n := start(t, nodeOptions{gateway: gateway.Options{KeepAlive: 50 * time.Millisecond}}, m)
	done := make(chan reply, 1)
	go func() { done <- n.chat(ping) }()
	<-arrived
	if r := n.chat(ping); r.StatusCode != 503 || r.Header.Get("Retry-After") != "1" || !strings.Contains(r.body, "none became free within 200ms") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := n.chat(streamed(ping)); r.StatusCode != 200 || !strings.HasPrefix(r.body, comment) || !strings.Contains(r.body, `"code":503`) || !strings.HasSuffix(r.body, "data: [DONE]\n\n") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	go func() { done <- n.chat(ping) }()
	eventually.True(t, "one waits", func() bool { return n.waiting() == 1 })
	if r := n.chat(ping); r.StatusCode != 503 || !strings.Contains(r.body, "its queue is full (1 requests)") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	open()
	<-done
	<-done
	if e := n.event(0); e.QueuedMS < 200 || e.Status != 503 || e.Endpoint != "" || len(e.Attempts) != 0 {
		t.Errorf("%+v", e)
	}
}

// A client that leaves the line is taken out of it, with what it held of limits.
func TestLeavingTheLine(t *testing.T) {
	m, arrived, open := crowded(t, wire.Queue{Size: 5, WaitMS: 60_000})
	o := guarded(map[string]wire.Key{"k": {ID: "k", Role: "pro", Priority: 3}})
	o.gateway.Limits, o.gateway.LimitsClock = limits.NewRegistry(1), limits.NewClock()
	n := start(t, o, m)
	done := make(chan reply, 1)
	go func() { done <- n.chat(ping, "Authorization", "Bearer k") }()
	<-arrived
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/v1/chat/completions", strings.NewReader(ping))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer k")
	go func() {
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}()
	eventually.True(t, "it waits", func() bool { return n.waiting() == 1 })
	leave()
	eventually.True(t, "it has left", func() bool { return n.waiting() == 0 })
	if e := n.event(0); e.End != wire.EndClientGone || e.Status != 499 || e.Endpoint != "" {
		t.Errorf("%+v", e)
	}
	open()
	if r := <-done; r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// A release finds those who wait: a model that goes refuses them, more room lets
// them in, and without a queue they wait on.
func TestReleasesWhileRequestsWait(t *testing.T) {
	f := func(change func(m *wire.Model) []wire.Model, status int, message string) {
		t.Helper()
		m, arrived, open := crowded(t, wire.Queue{Size: 5, WaitMS: 20_000})
		defer open()
		n := start(t, nodeOptions{}, m)
		done := make(chan reply, 2)
		go func() { done <- n.chat(ping) }()
		<-arrived
		go func() { done <- n.chat(ping) }()
		eventually.True(t, "it waits", func() bool { return n.waiting() == 1 })
		next := m
		next.Endpoints = append([]wire.Endpoint{}, m.Endpoints...)
		n.load(nil, change(&next)...)
		if message == "" { // it waits on
			time.Sleep(20 * time.Millisecond)
			open()
			<-done
		}
		if r := <-done; r.StatusCode != status || !strings.Contains(r.body, message) {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
	other := model("other", endpoint("other:x", "vllm", "http://127.0.0.1:1"))
	const gone = "no longer in service"
	f(func(*wire.Model) []wire.Model { return []wire.Model{other} }, 503, gone)
	f(func(m *wire.Model) []wire.Model {
		m.Endpoints[0].Reset(1, true)
		return []wire.Model{*m}
	}, 503, gone)
	f(func(m *wire.Model) []wire.Model {
		m.Queue = nil
		return []wire.Model{*m}
	}, 200, "")
	f(func(m *wire.Model) []wire.Model {
		m.Endpoints = append(m.Endpoints, endpoint("m:y", "vllm", "http://127.0.0.1:1"))
		return []wire.Model{*m}
	}, 200, "")
	m, arrived, open := crowded(t, wire.Queue{Size: 5, WaitMS: 20_000})
	defer open()
	n := start(t, nodeOptions{}, m)
	done := make(chan reply, 2)
	go func() { done <- n.chat(ping) }()
	<-arrived
	go func() { done <- n.chat(ping) }()
	eventually.True(t, "it waits", func() bool { return n.waiting() == 1 })
	m.Endpoints = append([]wire.Endpoint{}, m.Endpoints...)
	m.Endpoints[0].MaxConcurrency = 2
	n.load(nil, m)
	<-arrived
	open()
	for range 2 {
		if r := <-done; r.StatusCode != 200 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
}

// A node that stops lets those who wait have what becomes free, and refuses the
// rest in time.
func TestAQueueIsDrained(t *testing.T) {
	m, arrived, open := crowded(t, wire.Queue{Size: 5, WaitMS: 60_000})
	n := start(t, nodeOptions{gateway: gateway.Options{Drain: time.Second}}, m)
	done := make(chan reply, 3)
	go func() { done <- n.chat(ping) }()
	<-arrived
	for range 2 {
		go func() { done <- n.chat(ping) }()
	}
	eventually.True(t, "they wait", func() bool { return n.waiting() == 2 })
	stopped := make(chan struct{})
	go func() {
		n.stop()
		close(stopped)
	}()
	for range 2 {
		if r := <-done; r.StatusCode != 503 || r.Header.Get("Retry-After") != "1" || !r.Close || !strings.Contains(r.body, "shutting down") {
			t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
		}
	}
	open()
	if r := <-done; r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	<-stopped
}
