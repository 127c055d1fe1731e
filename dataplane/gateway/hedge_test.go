package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// slowly is an upstream that sends something and then waits for its client to
// leave, or for so long.
func slowly(t *testing.T, first string, wait time.Duration, last string) (url string, asked, left *atomic.Int32) {
	t.Helper()
	asked, left = &atomic.Int32{}, &atomic.Int32{}
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked.Add(1)
		if first != "" {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, first)
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
			left.Add(1)
		case <-time.After(wait):
			_, _ = io.WriteString(w, last)
		}
	}), asked, left
}

// raced is a model whose requests go to the first endpoint, and after 30 ms to the
// second, too.
func raced(first, second wire.Endpoint) wire.Model {
	m := model("m", first, second)
	m.Hedge = &wire.Hedge{AfterMS: 30, Budget: 1}
	m.Endpoints[0].Weight, m.Endpoints[1].Weight = 1e12, 1e-6
	return m
}

// Whatever the client speaks it gets the faster answer, the slower upstream is
// left, and the operator's cost of that is in the event, but not the key's.
func TestHedgingInEveryLanguage(t *testing.T) {
	slow, _, left := slowly(t, "", time.Minute, "")
	n := start(t, guarded(map[string]wire.Key{"k": {ID: "k", Role: "pro"}}), raced(endpoint("m:slow", "vllm", slow), endpoint("m:fast", "vllm", answering(t, "hello"))))
	requests := 0
	for path, body := range map[string]string{
		"chat/completions": ping, "completions": `{"prompt":"Ping"%s}`, "messages": `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Ping"}]%s}`, "responses": `{"input":"Ping"%s}`,
	} {
		for _, stream := range []string{"", `,"stream":true`} {
			request := body
			if strings.Contains(body, "%s") {
				request = fmt.Sprintf(body, stream)
			} else if stream != "" {
				request = streamed(body)
			}
			r := n.do("POST", "/v1/"+path, request, "Authorization", "Bearer k")
			if r.StatusCode != 200 || !strings.Contains(r.body, "hello") {
				t.Errorf("%s %s: %d %s", path, request, r.StatusCode, r.body)
			}
			e := n.event(requests)
			requests++
			if e.Endpoint != "m:fast" || e.HedgedEndpoint != "m:slow" || e.HedgedCostUSD == "" || e.KeyID != "k" || e.End != wire.EndComplete ||
				len(e.Attempts) != 2 || e.Attempts[0].Endpoint != "m:slow" || e.Attempts[0].Kind != wire.AttemptHedged || e.Attempts[1].Kind != "" {
				t.Errorf("%s: %+v", path, e)
			}
		}
	}
	eventually.True(t, "the slow upstream is left by all", func() bool { return int(left.Load()) == requests })
	spent := 0.0
	for i := range requests {
		var cost float64
		if _, err := fmt.Sscan(n.event(i).CostUSD, &cost); err != nil {
			t.Fatal(err)
		}
		spent += cost
	}
	key := decode[struct{ Data struct{ Usage float64 } }](t, n.do("GET", "/v1/key", "", "Authorization", "Bearer k"), 200)
	if d := key.Data.Usage - spent; d > 1e-12 || d < -1e-12 {
		t.Errorf("the key has used %g, its answers cost %g", key.Data.Usage, spent)
	}
	for _, e := range n.current.Load().Models[0].Endpoints {
		eventually.True(t, e.ID+" is free", func() bool { return e.State.InFlight.Load() == 0 })
	}
}

// What the provider does for a request besides its answer is not done twice.
func TestHostedToolsAreNotHedged(t *testing.T) {
	const late = `{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}`
	slow, _, _ := slowly(t, "", 100*time.Millisecond, late)
	fast, asked, _ := slowly(t, "", 0, late)
	n := start(t, nodeOptions{}, raced(endpoint("m:slow", "vllm", slow), endpoint("m:fast", "vllm", fast)))
	f := func(path, body string, hedged int32) {
		t.Helper()
		asked.Store(0)
		if r := n.do("POST", "/v1/"+path, body); r.StatusCode != 200 || asked.Load() != hedged {
			t.Errorf("%s: %d, the second endpoint was asked %d times, want %d: %s", body, r.StatusCode, asked.Load(), hedged, r.body)
		}
	}
	f("chat/completions", with(`"web_search_options":{}`), 0)
	f("chat/completions", with(`"plugins":[{"id":"web"}]`), 0)
	f("responses", `{"input":"Ping","tools":[{"type":"web_search"}]}`, 0)
	f("messages", `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Ping"}],"tools":[{"type":"web_search_20250305","name":"web_search"}]}`, 0)
	f("chat/completions", with(`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`), 1)
	f("messages", `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Ping"}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`, 1)
}

// Two endpoints that speak different languages: what the one has begun to say does
// not get into the answer of the other.
func TestHedgingBetweenLanguages(t *testing.T) {
	const begun = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_first\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n"
	const rest = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Claude\"}}\n\n" +
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	f := func(wait time.Duration, second, text, upstreamID, hedged string) {
		t.Helper()
		claude, _, _ := slowly(t, begun, wait, rest)
		n := start(t, nodeOptions{}, raced(endpoint("m:claude", "anthropic", claude), endpoint("m:local", "vllm", second)))
		r := n.do("POST", "/v1/messages", `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Ping"}]}`)
		if r.StatusCode != 200 || strings.Count(r.body, "event: message_start") != 1 || strings.Count(r.body, "event: message_stop") != 1 || !strings.Contains(r.body, text) {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if e := n.event(0); e.UpstreamID != upstreamID && upstreamID != "" || e.HedgedEndpoint != hedged {
			t.Errorf("%+v", e)
		}
	}
	silent, _, _ := slowly(t, "", time.Minute, "")
	f(150*time.Millisecond, silent, "Claude", "msg_first", "m:local")
	f(time.Minute, answering(t, "hello"), "hello", "", "m:claude")
}
