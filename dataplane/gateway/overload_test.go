package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// gate is an upstream that answers when it is told to.
func gate(t *testing.T) (url string, arrived <-chan struct{}, open func()) {
	t.Helper()
	came, closed := make(chan struct{}, 100), make(chan struct{})
	open = sync.OnceFunc(func() { close(closed) })
	t.Cleanup(open)
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- struct{}{}
		<-closed
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}`)
	}), came, open
}

func TestBeyondTheLimitIsRefusedAtOnce(t *testing.T) {
	f := func(o gateway.Options, first, second string) {
		t.Helper()
		url, arrived, open := gate(t)
		n := start(t, nodeOptions{gateway: o}, model("m", endpoint("m:x", "vllm", url)))
		done := make(chan reply, 1)
		go func() { done <- n.chat(first) }()
		<-arrived
		if r := n.chat(second); r.StatusCode != 503 || r.Header.Get("Retry-After") != "1" || !strings.Contains(r.body, "at capacity") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if r := n.do("POST", "/v1/messages", second); r.StatusCode != 503 || !strings.Contains(r.body, `"type":"overloaded_error"`) {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		for _, path := range []string{"/health", "/health/ready", "/routing", "/v1/models"} {
			if r := n.do("GET", path, ""); r.StatusCode != 200 {
				t.Errorf("GET %s: %d %s", path, r.StatusCode, r.body)
			}
		}
		if r := n.do("GET", "/health", ""); !strings.Contains(r.body, `"shed":2`) {
			t.Errorf("%s", r.body)
		}
		open()
		if r := <-done; r.StatusCode != 200 {
			t.Errorf("the first request: %d %s", r.StatusCode, r.body)
		}
		if r := n.chat(second); r.StatusCode != 200 {
			t.Errorf("afterwards: %d %s", r.StatusCode, r.body)
		}
	}
	f(gateway.Options{MaxInFlight: 1}, ping, ping)
	large := `{"messages":[{"role":"user","content":"` + strings.Repeat("x", 3000) + `"}]}`
	f(gateway.Options{MaxHeld: 5000}, large, large)
}

// sick is an adapter that panics where it is told to, and is well otherwise.
type sick struct {
	codec.Adapter
	encode, event, body atomic.Bool
}

func (s *sick) Encode(r *chat.Request, call *codec.Call) error {
	if s.encode.Load() {
		panic("encode")
	}
	return s.Adapter.Encode(r, call)
}

func (s *sick) Decoder() codec.Decoder { return &sickDecoder{s.Adapter.Decoder(), s, 0} }

type sickDecoder struct {
	codec.Decoder
	*sick
	events int
}

func (d *sickDecoder) Event(name, data []byte, out []chat.Event) ([]chat.Event, error) {
	if d.events++; d.events > 1 && d.event.Load() {
		panic("event")
	}
	return d.Decoder.Event(name, data, out)
}

func (d *sickDecoder) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	if d.body.Load() {
		panic("body")
	}
	return d.Decoder.Body(body, out)
}

// A panic ends one request, with its usage event, and leaves nothing behind: the
// one place at the endpoint is free for the next request.
func TestAPanicIsOneRequestsOwn(t *testing.T) {
	up := server(t, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); !strings.Contains(string(body), `"stream":true`) {
			_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, text := range []string{`{"choices":[{"index":0,"delta":{"content":"hello"}}]}`, `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, `[DONE]`} {
			_, _ = io.WriteString(w, "data: "+text+"\n\n")
		}
	})
	one := endpoint("m:x", "vllm", up)
	one.MaxConcurrency = 1
	n := start(t, nodeOptions{}, model("m", one))
	s := &sick{Adapter: n.current.Load().Models[0].Endpoints[0].Adapter}
	n.current.Load().Models[0].Endpoints[0].Adapter = s
	events := 0
	f := func(where *atomic.Bool, body string, begun bool) {
		t.Helper()
		where.Store(true)
		status, got := n.cut(body)
		where.Store(false)
		if begun && (status != 200 || !strings.Contains(got, "hello") || strings.Contains(got, "[DONE]")) || !begun && (status != 500 || !strings.Contains(got, `"error_type":"server"`)) {
			t.Errorf("%s: %d %s", body, status, got)
		}
		if e := n.event(events); e.End != wire.EndUpstreamError || e.RequestedModel != "m" || e.Status != status {
			t.Errorf("%s: event %+v", body, e)
		}
		for _, body := range []string{ping, streamed(ping)} {
			if r := n.chat(body); r.StatusCode != 200 || !strings.Contains(r.body, "hello") {
				t.Errorf("the next request: %d %s", r.StatusCode, r.body)
			}
		}
		events += 3
	}
	withModel := func(body string) string { return strings.Replace(body, "{", `{"model":"m",`, 1) }
	f(&s.encode, withModel(ping), false)
	f(&s.body, withModel(ping), false)
	f(&s.encode, withModel(streamed(ping)), false)
	f(&s.event, withModel(streamed(ping)), true)
	if r := n.do("GET", "/health", ""); !strings.Contains(r.body, `"in_flight":0`) || !strings.Contains(r.body, "panicked") {
		t.Errorf("%s", r.body)
	}
}

// cut posts a chat whose answer may end in the middle.
func (n *node) cut(body string) (status int, got string) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, n.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body) // that is the point
	return resp.StatusCode, string(b)
}

// A stop is announced first, goes on serving for a while, and then lets finish
// what runs.
func TestStopsAreGraceful(t *testing.T) {
	url, arrived, open := gate(t)
	n := start(t, nodeOptions{gateway: gateway.Options{Grace: 300 * time.Millisecond}}, model("m", endpoint("m:x", "vllm", url)), model("demo", endpoint("demo:demo-api", "demo", "")))
	running := make(chan reply, 1)
	go func() { running <- n.chat(strings.Replace(ping, "{", `{"model":"m",`, 1)) }()
	<-arrived
	stopped := make(chan struct{})
	go func() { n.stop(); close(stopped) }()
	eventually.True(t, "the node is not ready", func() bool { return n.do("GET", "/health/ready", "").StatusCode == 503 })
	r := n.chat(strings.Replace(ping, "{", `{"model":"demo",`, 1))
	if r.StatusCode != 200 || !r.Close {
		t.Errorf("within the grace: %d, close %v", r.StatusCode, r.Close)
	}
	refused := func() bool {
		req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, n.url+"/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err != nil
	}
	eventually.True(t, "connections are refused after the grace", refused)
	select {
	case <-stopped:
		t.Fatal("it did not wait for the request that runs")
	default:
	}
	open()
	if r := <-running; r.StatusCode != 200 || !strings.Contains(r.body, "hello") {
		t.Errorf("the request that ran: %d %s", r.StatusCode, r.body)
	}
	<-stopped
}
