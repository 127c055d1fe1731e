package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/shared/wire"
)

// The traps that published clients fall into, each found with the real one.

func streamed(body string) string { return strings.Replace(body, "{", `{"stream":true,`, 1) }

// talker is an upstream that thinks, calls two tools in pieces and counts.
func talker(t *testing.T) string {
	t.Helper()
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		var req struct{ Stream bool }
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			t.Error(err)
		}
		if !req.Stream {
			_, _ = io.WriteString(w, `{"id":"c1","model":"x","system_fingerprint":"fp_1","choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":30,"completion_tokens":7,"total_tokens":37,"prompt_tokens_details":{"cached_tokens":10}}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, c := range []string{
			`{"id":"c1","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"hm"}}]}`,
			`{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}`,
			`{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}`,
			`{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}}]}`,
			`{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`,
			`{"id":"c1","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":7,"total_tokens":37}}`,
			`[DONE]`,
		} {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", c)
		}
	})
}

func TestWholeAnswersHaveWhatSDKsInsistOn(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", talker(t))), model("demo", endpoint("demo:d", "demo", "")))
	c := openContract(t)
	for _, body := range []string{ping, `{"model":"demo","messages":[{"role":"user","content":"Ping"}],"stream":false}`} {
		r := n.chat(body)
		c.holds("ChatResult", r.body)
		got := decode[map[string]any](t, r, 200)
		for _, key := range []string{"id", "object", "created", "model", "choices", "system_fingerprint", "provider", "usage"} {
			if _, ok := got[key]; !ok {
				t.Errorf("%s is missing: %s", key, r.body)
			}
		}
		checkUsage(t, got["usage"])
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Ratelimit") {
				t.Errorf("%s on a success", name)
			}
		}
	}
}

// checkUsage holds usage to what validators refuse: null for a number.
func checkUsage(t *testing.T, usage any) {
	t.Helper()
	u, ok := usage.(map[string]any)
	if !ok {
		t.Fatalf("usage %v", usage)
	}
	for _, path := range []string{
		"prompt_tokens", "completion_tokens", "total_tokens", "cost", "prompt_tokens_details.cached_tokens", "completion_tokens_details.reasoning_tokens",
		"cost_details.upstream_inference_prompt_cost", "cost_details.upstream_inference_completions_cost",
	} {
		outer, inner, nested := strings.Cut(path, ".")
		v := u[outer]
		if m, ok := v.(map[string]any); ok && nested {
			v = m[inner]
		}
		if _, ok := v.(float64); !ok {
			t.Errorf("usage.%s is %v", path, v)
		}
	}
}

func TestStreamsHaveWhatSDKsInsistOn(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", talker(t))))
	r := n.chat(streamed(ping))
	openContract(t).stream(r.body)
	if got := r.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	if strings.HasPrefix(r.body, ":") {
		t.Error("a comment although there was no wait")
	}
	data := dataLines(t, r.body)
	finishes, usages, first := 0, 0, map[float64]int{}
	for i, d := range data[:len(data)-1] {
		var chunk map[string]any
		if err := json.Unmarshal([]byte(d), &chunk); err != nil {
			t.Fatal(err)
		}
		if _, ok := chunk["error"]; ok {
			t.Errorf("an error member on a good chunk: %s", d)
		}
		if v, ok := chunk["system_fingerprint"]; ok && v == nil {
			t.Errorf("a null fingerprint: %s", d)
		}
		if chunk["id"] != r.Header.Get("X-Generation-Id") {
			t.Errorf("chunk %d has the id %v", i, chunk["id"])
		}
		choices := chunk["choices"].([]any) //nolint:errcheck // a panic is a failure
		if len(choices) == 0 {
			usages++
			checkUsage(t, chunk["usage"])
			if i != len(data)-2 {
				t.Error("usage is not last")
			}
			continue
		}
		choice := choices[0].(map[string]any) //nolint:errcheck // a panic is a failure
		reason, ok := choice["finish_reason"]
		if !ok {
			t.Errorf("no finish_reason: %s", d)
		}
		if reason != nil {
			finishes++
		}
		countCalls(t, choice["delta"], first)
	}
	if finishes != 1 || usages != 1 || data[len(data)-1] != "[DONE]" {
		t.Errorf("%d finish reasons, %d usage chunks: %s", finishes, usages, r.body)
	}
	if len(first) != 2 || first[0] != 1 || first[1] != 1 {
		t.Errorf("ids of calls %v, want one for each index", first)
	}
}

// countCalls notes on which indexes a call begins: id and name come once, the
// index always.
func countCalls(t *testing.T, delta any, first map[float64]int) {
	t.Helper()
	d, ok := delta.(map[string]any)
	if !ok {
		t.Fatalf("delta %v", delta)
	}
	calls, _ := d["tool_calls"].([]any)
	for _, c := range calls {
		call := c.(map[string]any) //nolint:errcheck // a panic is a failure
		index, ok := call["index"].(float64)
		if !ok {
			t.Errorf("a tool call without index: %v", call)
		}
		if call["id"] != nil {
			first[index]++
		}
	}
}

func TestErrorsAreTyped(t *testing.T) {
	rate := refuses(t, 429, `{"error":{"message":"slow down","code":"rate"}}`, "Retry-After", "1.5")
	n := start(t, nodeOptions{}, model("limited", endpoint("limited:x", "vllm", rate)),
		model("broken", endpoint("broken:x", "vllm", refuses(t, 500, "oops"))),
		model("locked", endpoint("locked:x", "openai_compat", refuses(t, 401, `{"error":{"message":"bad key sk-abcdefghijklmnop"}}`))))
	c := openContract(t)
	f := func(model, body, schema string, status int, kind string) reply {
		t.Helper()
		r := n.chat(strings.Replace(body, "{", `{"model":"`+model+`",`, 1))
		c.holds(schema, r.body)
		got := decode[struct {
			Error struct {
				Code     int
				Message  string
				Metadata struct {
					Type     string `json:"error_type"`
					Provider string `json:"provider_name"`
					Raw      string
				}
			}
		}](t, r, status)
		if got.Error.Code != status || got.Error.Metadata.Type != kind || got.Error.Message == "" {
			t.Errorf("%s: %s", model, r.body)
		}
		if status != 400 && got.Error.Metadata.Provider == "" {
			t.Errorf("%s does not name the provider: %s", model, r.body)
		}
		return r
	}
	for _, body := range []string{ping, streamed(ping)} {
		if r := f("limited", body, "TooManyRequestsResponse", 429, "rate_limit_exceeded"); r.Header.Get("Retry-After") != "2" {
			t.Errorf("Retry-After %q, want whole seconds", r.Header.Get("Retry-After"))
		}
		n.load(nil, model("limited", endpoint("limited:y"+fmt.Sprint(len(body)), "vllm", rate)), model("broken", endpoint("broken:x", "vllm", refuses(t, 500, "oops"))),
			model("locked", endpoint("locked:x", "openai_compat", refuses(t, 401, `{"error":{"message":"bad key sk-abcdefghijklmnop"}}`))))
	}
	f("broken", ping, "BadGatewayResponse", 502, "provider_unavailable")
	if r := f("locked", ping, "BadGatewayResponse", 502, "provider_unavailable"); strings.Contains(r.body, "sk-abc") {
		t.Errorf("a key leaks: %s", r.body)
	}
	f("nobody", ping, "BadRequestResponse", 400, "invalid_request")
}

// One client finds an error inside a stream by its position in the object only.
func TestErrorsInStreamsComeFirst(t *testing.T) {
	cut := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"}}]}\n\n")
	})
	n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", cut)))
	r := n.chat(streamed(ping))
	openContract(t).stream(r.body)
	data := dataLines(t, r.body)
	if r.StatusCode != 200 || len(data) != 3 || !strings.HasPrefix(data[1], `{"error":{"code":502,"message":"`) || !strings.Contains(data[1], `"error_type":"provider_unavailable"`) || data[2] != "[DONE]" {
		t.Errorf("stream %s", r.body)
	}
}

// What a client's library says of itself is not the upstream's business.
func TestClientHeadersStayHere(t *testing.T) {
	seen := make(chan http.Header, 1)
	up := server(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]}`)
	})
	n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", up)))
	r := n.chat(ping, "X-Stainless-Lang", "js", "X-Stainless-Retry-Count", "1", "HTTP-Referer", "https://app.test", "X-Title", "App", "Authorization", "Bearer mine", "Cookie", "a=b")
	if r.StatusCode != 200 {
		t.Fatalf("status %d: %s", r.StatusCode, r.body)
	}
	got := <-seen
	for name := range got {
		if strings.HasPrefix(name, "X-Stainless") || name == "Http-Referer" || name == "X-Title" || name == "Cookie" || name == "Authorization" {
			t.Errorf("%s went to the upstream: %v", name, got[name])
		}
	}
	if e := n.event(0); e.Referer != "https://app.test" || e.AppTitle != "App" {
		t.Errorf("attribution is not recorded: %+v", e)
	}
}

// A trace goes on at the upstream, each attempt as a span of its own.
func TestTracesGoOn(t *testing.T) {
	var seen []http.Header
	up := server(t, func(w http.ResponseWriter, r *http.Request) {
		if seen = append(seen, r.Header); len(seen) == 1 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]}`)
	})
	n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", up), endpoint("m:y", "vllm", up)))
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	if r := n.chat(ping, "Traceparent", "00-"+id+"-00f067aa0ba902b7-01", "Tracestate", "vendor=1"); r.StatusCode != 200 {
		t.Fatalf("status %d: %s", r.StatusCode, r.body)
	}
	if len(seen) != 2 {
		t.Fatalf("%d attempts", len(seen))
	}
	first, second := seen[0].Get("Traceparent"), seen[1].Get("Traceparent")
	for _, parent := range []string{first, second} {
		if !strings.HasPrefix(parent, "00-"+id+"-") || !strings.HasSuffix(parent, "-01") || strings.Contains(parent, "00f067aa0ba902b7") {
			t.Errorf("traceparent %q", parent)
		}
	}
	if first == second || seen[0].Get("Tracestate") != "vendor=1" {
		t.Errorf("spans %s and %s, state %q", first, second, seen[0].Get("Tracestate"))
	}
	if r := n.chat(ping); r.StatusCode != 200 || seen[2].Get("Traceparent") != "" {
		t.Errorf("status %d, a trace that nobody began: %q", r.StatusCode, seen[2].Get("Traceparent"))
	}
}

// A client gives up after 300 lines without data: two for each comment.
func TestALongSilenceIsNotOnlyComments(t *testing.T) {
	release := make(chan struct{})
	up := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	})
	n := start(t, nodeOptions{gateway: gateway.Options{KeepAlive: 3 * time.Millisecond}}, model("m", endpoint("m:x", "vllm", up)))
	resp, err := http.Post(n.url+"/v1/chat/completions", "application/json", strings.NewReader(streamed(ping)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	idle, most, comments := 0, 0, 0
	done := false
	for line := range lines(t, resp.Body) {
		switch {
		case strings.HasPrefix(line, "data: "):
			most, idle = max(most, idle), 0
		case strings.HasPrefix(line, ":"):
			comments++
			idle++
		default:
			idle++
		}
		if comments == 400 && !done {
			done = true
			close(release)
		}
	}
	if comments < 400 || most > 250 {
		t.Errorf("%d comments, up to %d lines between data", comments, most)
	}
}

func TestLegacyPromptAtChat(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:d", "demo", "")))
	r := n.chat(`{"prompt":"Count to 3","demo_delay_ms":0}`)
	got := decode[struct {
		Object  string
		Choices []struct{ Text string }
	}](t, r, 200)
	if got.Object != "text_completion" || got.Choices[0].Text != "1 2 3" {
		t.Errorf("%s", r.body)
	}
	if e := n.event(0); e.API != "completions" || e.End != wire.EndComplete {
		t.Errorf("event %+v", e)
	}
}
