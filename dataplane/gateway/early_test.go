package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// provider is how a provider begins to stream, with the counts that it tells at
// the beginning.
type provider struct {
	kind  string
	begin func(text string, told int) string
	// prompt is what it says of the prompt, 0 if nothing.
	prompt int64
}

func providers() []provider {
	return []provider{
		{"vllm", func(text string, _ int) string {
			return fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
		}, 0},
		{"anthropic", func(text string, told int) string {
			return fmt.Sprintf("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"usage\":{\"input_tokens\":77,\"output_tokens\":%d}}}\n\n"+
				"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"+
				"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%q}}\n\n", told, text)
		}, 77},
		{"gemini", func(text string, told int) string {
			return fmt.Sprintf("data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":%q}]}}],"+
				"\"usageMetadata\":{\"promptTokenCount\":77,\"candidatesTokenCount\":%d,\"totalTokenCount\":%d}}\n\n", text, told, 77+told)
		}, 77},
	}
}

// charged holds an event to what came: the provider's prompt, and the larger of
// what it told and what was seen.
func charged(t *testing.T, name string, e *wire.Usage, end string, p provider, told int) {
	t.Helper()
	least, most := int64(240), int64(260) // 1,000 bytes
	if told > 260 && p.prompt > 0 {
		least, most = int64(told), int64(told)
	}
	promptOK := e.PromptTokens == p.prompt
	if p.prompt == 0 {
		promptOK = e.PromptTokens > 0
	}
	if e.End != end || e.UsageSource != wire.UsageEstimated || !promptOK || e.CompletionTokens < least || e.CompletionTokens > most {
		t.Errorf("%s: end %s, %s usage of %d and %d tokens; want %s, estimated, %d and %d to %d", name, e.End, e.UsageSource, e.PromptTokens, e.CompletionTokens, end, p.prompt, least, most)
	}
}

// bodies are requests for a stream, by path.
func bodies() map[string]string {
	return map[string]string{
		"/v1/chat/completions": `{"model":"m","stream":true,"messages":[{"role":"user","content":"Ping"}]}`,
		"/v1/completions":      `{"model":"m","stream":true,"prompt":"Ping"}`,
		"/v1/messages":         `{"model":"m","stream":true,"max_tokens":9000,"messages":[{"role":"user","content":"Ping"}]}`,
		"/v1/responses":        `{"model":"m","stream":true,"input":"Ping"}`,
	}
}

func TestCutStreamsAreChargedForWhatCame(t *testing.T) {
	text := strings.Repeat("word ", 200)
	for _, p := range providers() {
		for _, told := range []int{1, 900} {
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, p.begin(text, told))
			}))
			t.Cleanup(up.Close)
			n := start(t, nodeOptions{}, model("m", endpoint("m:x", p.kind, up.URL)))
			i := 0
			for path, body := range bodies() {
				resp, err := http.Post(n.url+path, "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				charged(t, fmt.Sprintf("%s, %s, %d told", p.kind, path, told), n.event(i), wire.EndUpstreamError, p, told)
				i++
			}
		}
	}
}

func TestClientsThatLeaveAreChargedForWhatCame(t *testing.T) {
	text := strings.Repeat("word ", 200)
	for _, p := range providers() {
		up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, p.begin(text, 1))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}))
		t.Cleanup(up.Close)
		n := start(t, nodeOptions{}, model("m", endpoint("m:x", p.kind, up.URL)))
		i := 0
		for path, body := range bodies() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			var got []byte
			for buf := make([]byte, 4096); !strings.Contains(string(got), "word word"); {
				k, err := conn.Read(buf)
				if err != nil {
					t.Fatalf("%s, %s: %v after %q", p.kind, path, err, got)
				}
				got = append(got, buf[:k]...)
			}
			_ = conn.Close()
			charged(t, p.kind+", "+path, n.event(i), wire.EndClientGone, p, 1)
			i++
		}
	}
}
