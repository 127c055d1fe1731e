package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestSignedContentGoesBothWays: what an OpenAI-compatible server signs comes to
// the client, streamed and in one piece, and back to the server.
func TestSignedContentGoesBothWays(t *testing.T) {
	const (
		onCall = `{"google":{"thought_signature":"c2lnMQ=="}}`
		onText = `{"google":{"thought_signature":"c2lnMg=="}}`
		call   = `"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":` + onCall + `}]`
	)
	asked := make(chan string, 4)
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked <- string(body)
		if !strings.Contains(string(body), `"stream":true`) {
			write(w, `{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hi","extra_content":`+onText+`,`+call+`},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, delta := range []string{`{"role":"assistant","content":"hi"}`, `{"content":"","extra_content":` + onText + `}`, `{` + call + `}`} {
			write(w, `data: {"id":"x","choices":[{"index":0,"delta":`+delta+`,"finish_reason":null}]}`+"\n\n")
		}
		write(w, `data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`+"\n\ndata: [DONE]\n\n")
	})
	n := start(t, nodeOptions{}, model("m", endpoint("m:a", "openai_compat", url), endpoint("m:b", "vllm", url)))
	const history = `"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"hi","extra_content":` + onText + `,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":` + onCall + `}]},{"role":"tool","tool_call_id":"c1","content":"r"}]`
	for _, body := range []string{`{"model":"m",` + history + `}`, `{"model":"m","stream":true,` + history + `}`, `{"model":"m","provider":{"only":["VLLM"]},` + history + `}`} {
		r := n.chat(body)
		if r.StatusCode != 200 || !strings.Contains(r.body, `"function":{"name":"f","arguments":"{}"},"extra_content":`+onCall+`}]`) || !strings.Contains(r.body, `"extra_content":`+onText) {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if got := <-asked; !strings.Contains(got, `"extra_content":`+onCall) || !strings.Contains(got, `"extra_content":`+onText) {
			t.Errorf("the server was sent %s", got)
		}
	}
}
