package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

const hello = `{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}`

// keyed is an upstream that refuses some keys, and counts by key.
func keyed(t *testing.T, refuse func(key string) (status int, retryAfter string)) (url string, count func(key string) int) {
	var mu sync.Mutex
	seen := map[string]int{}
	return server(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer secret-")
			mu.Lock()
			seen[key]++
			mu.Unlock()
			if status, after := refuse(key); status != 0 {
				w.Header().Set("Retry-After", after)
				w.WriteHeader(status)
				return
			}
			_, _ = io.WriteString(w, hello)
		}), func(key string) int {
			mu.Lock()
			defer mu.Unlock()
			return seen[key]
		}
}

// A key that the provider refuses rests, and the others go on.
func TestRefusedKeysRest(t *testing.T) {
	for status, after := range map[int]string{429: "30", 401: "", 402: ""} {
		url, count := keyed(t, func(key string) (int, string) {
			if key == "KEY_A" {
				return status, after
			}
			return 0, ""
		})
		e := endpoint("m:x", "vllm", url)
		e.Secrets = []string{"KEY_A", "KEY_B", "KEY_C"}
		n := start(t, nodeOptions{}, model("m", e))
		for i := range 12 {
			if r := n.chat(ping); r.StatusCode != 200 {
				t.Fatalf("%d: request %d: %d %s", status, i, r.StatusCode, r.body)
			}
		}
		if count("KEY_A") > 1 || count("KEY_B")+count("KEY_C") != 12 {
			t.Errorf("%d: the keys were used %d, %d and %d times", status, count("KEY_A"), count("KEY_B"), count("KEY_C"))
		}
	}
}

// With all keys refused there is nothing left but to say when to come back.
func TestAllKeysRefused(t *testing.T) {
	url, count := keyed(t, func(string) (int, string) { return 429, "30" })
	e := endpoint("m:x", "vllm", url)
	e.Secrets = []string{"KEY_A", "KEY_B"}
	n := start(t, nodeOptions{}, model("m", e))
	if r := n.chat(ping); r.StatusCode != 429 || r.Header.Get("Retry-After") != "30" {
		t.Errorf("%d, Retry-After %q: %s", r.StatusCode, r.Header.Get("Retry-After"), r.body)
	}
	if count("KEY_A") != 1 || count("KEY_B") != 1 {
		t.Errorf("%d and %d tries", count("KEY_A"), count("KEY_B"))
	}
}

// A short wait is waited for if no other endpoint can answer; a long one is the client's.
func TestShortWaitsAreSatOut(t *testing.T) {
	f := func(headers []string, status, attempts int, client ...string) {
		t.Helper()
		var asked atomic.Int64
		url := server(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if asked.Add(1) > 1 {
				_, _ = io.WriteString(w, hello)
				return
			}
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
		})
		n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", url)))
		r := n.chat(ping, client...)
		if ok := attempts == 2; ok != (r.StatusCode == 200) || asked.Load() != int64(attempts) {
			t.Errorf("%v: %d after %d attempts: %s", headers, r.StatusCode, asked.Load(), r.body)
		}
		if got := len(n.event(0).Attempts); got != attempts {
			t.Errorf("%v: %d attempts in the event", headers, got)
		}
	}
	f([]string{"Retry-After-Ms", "50"}, 429, 2)
	f([]string{"Retry-After", "1"}, 503, 2)
	f([]string{"Retry-After", "0.1"}, 429, 2)
	f([]string{"Retry-After", "60"}, 429, 1)
	f([]string{"Retry-After", "0.1"}, 429, 1, "X-Stainless-Retry-Count", "0")
	f([]string{"Retry-After", "0.1"}, 429, 1, "User-Agent", "claude-cli/2.0 (external, cli)")
	f([]string{"Retry-After", "0.1"}, 429, 2, "User-Agent", "curl/8.5")
	f([]string{"Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}, 503, 1)
	f(nil, 503, 1)
}

// An endpoint has no more requests at a time than it may have.
func TestMaxConcurrency(t *testing.T) {
	url, arrived, open := gate(t)
	small, large := endpoint("m:small", "vllm", url), endpoint("m:large", "sglang", openAI(t).URL)
	small.MaxConcurrency, large.Weight = 1, 1e-9
	alone := endpoint("alone:x", "vllm", url)
	alone.MaxConcurrency = 1
	n := start(t, nodeOptions{}, model("m", small, large), model("alone", alone))
	done := make(chan reply, 2)
	for _, id := range []string{"m", "alone"} {
		go func() { done <- n.chat(strings.Replace(ping, "{", `{"model":"`+id+`",`, 1)) }()
		<-arrived
	}
	if r := n.chat(ping); r.StatusCode != 200 || !strings.Contains(r.body, `"provider":"SGLANG"`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := n.chat(strings.Replace(ping, "{", `{"model":"alone",`, 1)); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || !strings.Contains(r.body, "at capacity") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	open()
	for range 2 {
		if r := <-done; r.StatusCode != 200 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
}

// One deadline bounds all attempts together.
func TestDeadline(t *testing.T) {
	stalled := func() string {
		return server(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
	}
	n := start(t, nodeOptions{gateway: gateway.Options{Deadline: 300 * time.Millisecond}, timeouts: upstream.Timeouts{Total: 200 * time.Millisecond, FirstByte: 200 * time.Millisecond}},
		model("m", endpoint("m:a", "vllm", stalled()), endpoint("m:b", "vllm", stalled()), endpoint("m:c", "vllm", stalled()), endpoint("m:d", "vllm", stalled())))
	for i, body := range []string{ping, streamed(ping)} {
		begun := time.Now()
		r := n.chat(body)
		if took := time.Since(begun); r.StatusCode < 500 || took < 300*time.Millisecond || took > 3*time.Second {
			t.Errorf("%d after %s: %s", r.StatusCode, took, r.body)
		}
		if e := n.event(i); len(e.Attempts) != 2 || e.End != "timeout" {
			t.Errorf("event %+v", e)
		}
	}
}
