package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestDemoAnswersWholeAndStreamed(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	r := n.chat(ping)
	var got struct {
		ID, Object, Model, Provider string
		Choices                     []struct {
			Message      struct{ Role, Content string }
			FinishReason string `json:"finish_reason"`
		}
		Usage struct {
			PromptTokens int `json:"prompt_tokens"`
			TotalTokens  int `json:"total_tokens"`
			Cost         json.Number
		}
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	if r.StatusCode != 200 || got.Object != "chat.completion" || got.Model != "demo" || got.Provider != "DEMO" || got.ID != r.Header.Get("X-Generation-Id") ||
		!strings.HasPrefix(got.Choices[0].Message.Content, "Pong") || got.Choices[0].FinishReason != "stop" || got.Usage.TotalTokens <= got.Usage.PromptTokens {
		t.Errorf("status %d: %s", r.StatusCode, r.body)
	}
	s := n.chat(`{"messages":[{"role":"user","content":"Count to 5"}],"stream":true,"demo_delay_ms":0}`)
	chunks := dataLines(t, s.body)
	if s.Header.Get("Content-Type") != "text/event-stream" || chunks[len(chunks)-1] != "[DONE]" {
		t.Fatalf("%s %s", s.Header.Get("Content-Type"), s.body)
	}
	if text := contentOf(t, chunks); text != "1 2 3 4 5" {
		t.Errorf("streamed %q", text)
	}
	if strings.Count(s.body, `"finish_reason":"stop"`) != 1 || strings.Count(s.body, `"choices":[],"usage":`) != 1 {
		t.Errorf("finish or usage is not there once: %s", s.body)
	}
	e := n.event(1)
	if !e.Stream || e.End != wire.EndComplete || e.CompletionTokens != 5 || e.Endpoint != "demo:demo-api" || e.RequestID != s.Header.Get("X-Generation-Id") || e.Release != 7 {
		t.Errorf("event %+v", e)
	}
}

func TestLegacyCompletions(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	r := n.do("POST", "/v1/completions", `{"prompt":"Count to 3","demo_delay_ms":0}`)
	if r.StatusCode != 200 || !strings.Contains(r.body, `"object":"text_completion"`) || !strings.Contains(r.body, `"text":"1 2 3"`) {
		t.Errorf("status %d: %s", r.StatusCode, r.body)
	}
	r = n.do("POST", "/v1/completions", `{"prompt":"Count to 3","stream":true,"demo_delay_ms":0}`)
	if r.StatusCode != 200 || !strings.Contains(r.body, `"text":"2 "`) || !strings.HasSuffix(r.body, "data: [DONE]\n\n") {
		t.Errorf("status %d: %s", r.StatusCode, r.body)
	}
	if r := n.do("POST", "/v1/completions", `{"model":"demo"}`); r.StatusCode != 400 {
		t.Errorf("without a prompt: %d %s", r.StatusCode, r.body)
	}
	if e := n.event(1); e.API != "completions" {
		t.Errorf("event %+v", e)
	}
}

func TestMessagesSurface(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	r := n.do("POST", "/v1/messages", `{"model":"demo","max_tokens":50,"messages":[{"role":"user","content":"Count to 3"}]}`)
	if r.StatusCode != 200 || !strings.Contains(r.body, `"type":"message"`) || !strings.Contains(r.body, `"text":"1 2 3"`) || !strings.Contains(r.body, `"stop_reason":"end_turn"`) {
		t.Errorf("status %d: %s", r.StatusCode, r.body)
	}
	r = n.do("POST", "/v1/messages", `{"model":"demo","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"Count to 3"}]}`)
	if r.StatusCode != 200 || !strings.HasPrefix(r.body, "event: message_start\n") || !strings.HasSuffix(r.body, "data: {\"type\":\"message_stop\"}\n\n") {
		t.Errorf("status %d: %s", r.StatusCode, r.body)
	}
	r = n.do("POST", "/v1/messages", `{"model":"no/such","max_tokens":50,"messages":[{"role":"user","content":"x"}]}`)
	if r.StatusCode != 400 || !strings.HasPrefix(r.body, `{"type":"error","error":{"type":"invalid_request_error"`) {
		t.Errorf("status %d: %s", r.StatusCode, r.body)
	}
	if e := n.event(1); e.API != "messages" || e.CompletionTokens != 3 {
		t.Errorf("event %+v", e)
	}
}

func TestEmbeddingsSurface(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/embeddings" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,0.5]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
	}))
	t.Cleanup(up.Close)
	m := model("bge", endpoint("bge:x", "sglang", up.URL))
	m.Type = "embedding"
	n := start(t, nodeOptions{}, m, model("demo", endpoint("demo:demo-api", "demo", "")))
	r := n.do("POST", "/v1/embeddings", `{"model":"bge","input":"x"}`)
	if r.StatusCode != 200 || !strings.Contains(r.body, `"embedding":[1,0.5]`) || !strings.Contains(r.body, `"prompt_tokens":4`) {
		t.Errorf("status %d: %s", r.StatusCode, r.body)
	}
	r = n.do("POST", "/v1/embeddings", `{"model":"bge","input":["x"],"encoding_format":"base64"}`)
	if r.StatusCode != 200 || !strings.Contains(r.body, `"embedding":"AACAPwAAAD8="`) {
		t.Errorf("packed: status %d: %s", r.StatusCode, r.body)
	}
	if r := n.do("POST", "/v1/embeddings", `{"model":"demo","input":"x"}`); r.StatusCode != 400 {
		t.Errorf("a chat model: %d %s", r.StatusCode, r.body)
	}
	if r := n.chat(`{"model":"bge","messages":[{"role":"user","content":"x"}]}`); r.StatusCode != 400 {
		t.Errorf("an embedding model: %d %s", r.StatusCode, r.body)
	}
	if e := n.event(0); e.API != "embeddings" || e.PromptTokens != 4 || e.End != wire.EndComplete {
		t.Errorf("event %+v", e)
	}
}

func dataLines(t *testing.T, body string) []string {
	t.Helper()
	var out []string
	for event := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		data, ok := strings.CutPrefix(event, "data: ")
		if !ok && !strings.HasPrefix(event, ":") {
			t.Fatalf("not an event: %q", event)
		}
		if ok {
			out = append(out, data)
		}
	}
	return out
}

func contentOf(t *testing.T, chunks []string) string {
	t.Helper()
	var text strings.Builder
	for _, c := range chunks {
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if c == "[DONE]" {
			continue
		}
		if err := json.Unmarshal([]byte(c), &chunk); err != nil {
			t.Fatalf("%v: %s", err, c)
		}
		if len(chunk.Choices) > 0 {
			text.WriteString(chunk.Choices[0].Delta.Content)
		}
	}
	return text.String()
}

func TestErrorsHaveTheEnvelopeOnEveryPath(t *testing.T) {
	n := start(t, nodeOptions{gateway: gateway.Options{MaxBody: 10_000}}, model("demo", endpoint("demo:demo-api", "demo", "")), model("dead", wire.Endpoint{ID: "dead:x", Kind: "vllm", BaseURL: "http://127.0.0.1:1", Weight: 1, Secrets: []string{"UNSET_KEY"}}))
	f := func(r reply, status int, message string) {
		t.Helper()
		var got struct {
			Error struct {
				Code     int
				Message  string
				Metadata map[string]string
			}
		}
		if err := json.Unmarshal([]byte(r.body), &got); err != nil {
			t.Errorf("%v: %q", err, r.body)
			return
		}
		if r.StatusCode != status || got.Error.Code != status || !strings.Contains(got.Error.Message, message) || got.Error.Metadata["error_type"] == "" || r.Header.Get("X-Request-Id") == "" {
			t.Errorf("status %d, want %d with %q: %s", r.StatusCode, status, message, r.body)
		}
	}
	f(n.chat(`{"model":"acme/x","messages":[{"role":"user","content":"x"}]}`), 400, "acme/x is not a valid model ID")
	f(n.chat(`{"messages":`), 400, "not valid JSON")
	f(n.chat(`{"messages":"x"}`), 400, "messages:")
	f(n.chat(`{"model":"dead","messages":[{"role":"user","content":"x"}]}`), 503, "No endpoint of dead is in service")
	f(n.chat(`{"messages":[{"role":"user","content":"`+strings.Repeat("x", 20_000)+`"}]}`), 413, "larger than 10000 bytes")
	f(n.do("GET", "/v1/chat/completions", ""), 405, "takes POST only")
	f(n.do("POST", "/v1/models", ""), 405, "takes GET only")
	f(n.do("GET", "/nowhere", ""), 404, "No such path: /nowhere")
	f(n.do("GET", "/admin/routing", ""), 404, "No such path")
}

func TestPathsAndHeaders(t *testing.T) {
	n := start(t, nodeOptions{}, model("a/b", endpoint("a/b:demo-api", "demo", "")))
	for _, path := range []string{"/v1/models", "/v1/models/", "/api/v1/models", "/models", "/openrouter/models"} {
		if r := n.do("GET", path, ""); r.StatusCode != 200 || !strings.Contains(r.body, `"id":"a/b"`) {
			t.Errorf("GET %s: %d %s", path, r.StatusCode, r.body)
		}
	}
	if r := n.do("GET", "/routing", ""); r.body != `{"release":7,"routes":{"a/b":[{"endpoint":"a/b:demo-api","provider":"DEMO","weight":"100%"}]}}` {
		t.Errorf("routing %s", r.body)
	}
	if r := n.do("GET", "/health", ""); r.StatusCode != 200 || !strings.Contains(r.body, `"status":"healthy"`) {
		t.Errorf("health %s", r.body)
	}
	if r := n.do("OPTIONS", "/v1/chat/completions", ""); r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Methods") == "" {
		t.Errorf("OPTIONS %d %v", r.StatusCode, r.Header)
	}
	r := n.chat(ping, "X-Request-ID", "mine-1")
	if r.Header.Get("X-Request-Id") != "mine-1" || !strings.HasPrefix(r.Header.Get("X-Generation-Id"), "gen-") {
		t.Errorf("headers %v", r.Header)
	}
}

func TestUpstreamFailuresMoveOn(t *testing.T) {
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(bad.Close)
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n")
	}))
	t.Cleanup(cut.Close)
	// few enough requests for the budget of a node that has just started
	n := start(t, nodeOptions{}, model("m", endpoint("m:refused", "vllm", "http://127.0.0.1:1"), endpoint("m:bad", "vllm", bad.URL), endpoint("m:cut", "vllm", cut.URL), endpoint("m:good", "sglang", openAI(t).URL)))
	for i, body := range []string{ping, strings.Replace(ping, "{", `{"stream":true,`, 1)} {
		for j := range 2 {
			r := n.chat(body)
			if r.StatusCode != 200 || !strings.Contains(r.body, "hello") {
				t.Fatalf("status %d: %s", r.StatusCode, r.body)
			}
			e := n.event(2*i + j)
			if e.Endpoint != "m:good" || e.Attempts[len(e.Attempts)-1].Status != 200 {
				t.Errorf("event %+v", e)
			}
		}
	}
}

// openAI is an upstream that says hello.
func openAI(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Model  string
			Stream bool
		}
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil || r.URL.Path != "/v1/chat/completions" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		if !req.Stream {
			_, _ = io.WriteString(w, `{"id":"c1","model":"`+req.Model+`","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, c := range []string{`{"id":"c1","choices":[{"index":0,"delta":{"content":"hello"}}]}`, `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, `{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}`, `[DONE]`} {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", c)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestNothingLeftIsATrueError(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:refused", "vllm", "http://127.0.0.1:1")))
	for i, body := range []string{ping, strings.Replace(ping, "{", `{"stream":true,`, 1)} {
		r := n.chat(body)
		if r.StatusCode != 502 || !strings.Contains(r.body, "refused the connection") || strings.Contains(r.body, "127.0.0.1") {
			t.Errorf("status %d: %s", r.StatusCode, r.body)
		}
		if e := n.event(i); e.Status != 502 || e.End != wire.EndUpstreamError || e.UsageSource != wire.UsageNone {
			t.Errorf("event %+v", e)
		}
	}
}

func TestChunksArriveOneByOneAndBreaksAreHonest(t *testing.T) {
	next := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w%d\"}}]}\n\n", i)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	}))
	t.Cleanup(up.Close)
	n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", up.URL), endpoint("m:y", "vllm", up.URL)))
	resp, err := http.Post(n.url+"/v1/chat/completions", "application/json", strings.NewReader(strings.Replace(ping, "{", `{"stream":true,`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	var last []string
	for lines.Scan() {
		if line := lines.Text(); line != "" {
			last = append(last, line)
			if strings.Contains(line, `"content":"w`) {
				next <- struct{}{} // the upstream goes on only after this chunk is here
			}
		}
	}
	if len(last) != 5 || !strings.HasPrefix(last[3], `data: {"error":{"code":502,`) || !strings.Contains(last[3], `"finish_reason":"error"`) || last[4] != "data: [DONE]" {
		t.Errorf("stream %q", last)
	}
	if e := n.event(0); e.Status != 200 || e.End != wire.EndUpstreamError || e.UsageSource != wire.UsageEstimated || len(e.Attempts) != 1 {
		t.Errorf("event %+v", e)
	}
}

// A provider that tells its usage at the beginning of a stream says what the
// prompt costs, but not what came until the stream was cut.
func TestStreamsThatEndEarlyAreChargedForWhatCame(t *testing.T) {
	text := strings.Repeat("word ", 200)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"usage\":{\"input_tokens\":77,\"output_tokens\":1}}}\n\n"+
			"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"+
			"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n", text)
	}))
	t.Cleanup(up.Close)
	n := start(t, nodeOptions{}, model("m", endpoint("m:x", "anthropic", up.URL)))
	n.chat(strings.Replace(ping, "{", `{"stream":true,`, 1))
	if e := n.event(0); e.End != wire.EndUpstreamError || e.UsageSource != wire.UsageEstimated || e.PromptTokens != 77 || e.CompletionTokens < 240 || e.CompletionTokens > 260 {
		t.Errorf("event %+v", e)
	}
}

func TestClientGoneCancelsTheUpstream(t *testing.T) {
	arrived, canceled := make(chan struct{}, 1), make(chan struct{}, 1)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.Contains(r.URL.RawQuery, "never") {
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"some words\"}}]}\n\n")
		_ = http.NewResponseController(w).Flush()
		arrived <- struct{}{}
		<-r.Context().Done()
		canceled <- struct{}{}
	}))
	t.Cleanup(up.Close)
	r := exposition.NewRegistry()
	n := start(t, nodeOptions{gateway: gateway.Options{Metrics: metrics.NewRequests(r, "")}}, model("m", endpoint("m:x", "vllm", up.URL)))
	for i, body := range []string{strings.Replace(ping, "{", `{"stream":true,`, 1), ping} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		<-arrived
		_ = conn.Close()
		select {
		case <-canceled:
		case <-time.After(5 * time.Second):
			t.Fatal("the upstream was not cancelled")
		}
		if e := n.event(i); e.End != wire.EndClientGone || len(e.Attempts) != 1 || e.Attempts[0].Kind != "canceled" {
			t.Errorf("event %+v", e)
		}
	}
	eventually.Nil(t, eventually.Limit, "the aborts are counted", func() error {
		return testutil.GatherAndCompare(r, strings.NewReader(`
# HELP gateway_client_aborts_total Requests whose client left before the answer was complete.
# TYPE gateway_client_aborts_total counter
gateway_client_aborts_total{model="m"} 2
`), "gateway_client_aborts_total")
	})
}

func TestSilentUpstreamsTimeOut(t *testing.T) {
	hold := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-hold
	}))
	t.Cleanup(up.Close)
	t.Cleanup(func() { close(hold) })
	o := nodeOptions{timeouts: upstream.Timeouts{FirstByte: 300 * time.Millisecond, Total: 300 * time.Millisecond}}
	n := start(t, o, model("m", endpoint("m:x", "vllm", up.URL)), model("f", endpoint("f:x", "vllm", up.URL), endpoint("f:good", "vllm", openAI(t).URL)))
	for _, body := range []string{`{"model":"m","messages":[{"role":"user","content":"x"}]}`, `{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`} {
		if r := n.chat(body); r.StatusCode != 524 || !strings.Contains(r.body, "in time") {
			t.Errorf("status %d: %s", r.StatusCode, r.body)
		}
		if r := n.chat(strings.Replace(body, `"m"`, `"f"`, 1)); r.StatusCode != 200 {
			t.Errorf("failover: status %d: %s", r.StatusCode, r.body)
		}
	}
}

func TestKeepAliveCommentsOnlyWhenIdle(t *testing.T) {
	commented := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-commented:
		case <-r.Context().Done():
			return
		}
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\n")
	}))
	t.Cleanup(up.Close)
	n := start(t, nodeOptions{gateway: gateway.Options{KeepAlive: 20 * time.Millisecond}}, model("m", endpoint("m:x", "vllm", up.URL)))
	conn := n.open()
	n.send(conn, sized(strings.Replace(ping, "{", `{"stream":true,`, 1)))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	stream := bufio.NewReader(resp.Body)
	if line, err := stream.ReadString('\n'); err != nil || line != ": OPENROUTER PROCESSING\n" {
		t.Fatalf("%q, %v", line, err)
	}
	close(commented)
	if rest, err := io.ReadAll(stream); err != nil || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") {
		t.Errorf("stream %q, %v", rest, err)
	}
}
