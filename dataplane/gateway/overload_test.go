package gateway_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
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

func TestAPanicIsOneRequestsOwn(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", openAI(t).URL)), model("sick", endpoint("sick:x", "vllm", openAI(t).URL)))
	n.current.Load().Models[1].Endpoints[0].Adapter = nil
	r := n.chat(strings.Replace(ping, "{", `{"model":"sick",`, 1))
	if r.StatusCode != 500 || !strings.Contains(r.body, `"error_type":"server"`) || strings.Contains(r.body, "nil pointer") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if e := n.event(0); e.Status != 500 || e.RequestedModel != "sick" {
		t.Errorf("event %+v", e)
	}
	if r := n.chat(ping); r.StatusCode != 200 {
		t.Errorf("the next request: %d %s", r.StatusCode, r.body)
	}
	if r := n.do("GET", "/health", ""); !strings.Contains(r.body, `"in_flight":0`) || !strings.Contains(r.body, "panicked") {
		t.Errorf("%s", r.body)
	}
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
	for n.do("GET", "/health/ready", "").StatusCode != 503 {
		if t.Context().Err() != nil {
			t.Fatal("it stays ready")
		}
	}
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
	for deadline := time.Now().Add(5 * time.Second); !refused(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("connections are taken after the grace")
		}
	}
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
