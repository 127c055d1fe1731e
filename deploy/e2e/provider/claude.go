package provider

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// claude speaks Anthropic's Messages: at Anthropic itself, behind a proxy of
// Vertex AI that wants a key, or on Vertex AI, which wants an OAuth token.
type claude struct {
	proxy, vertex bool
	oauth         *oauth
}

func (p claude) answer(w http.ResponseWriter, r *request, c *complaints) {
	stream := r.body["stream"] == true
	p.checkCall(c, r, stream)
	messages := list(r.body, "messages")
	checkTurns(c, messages)
	p.checkLimits(c, r)
	t := claudeTurn(c, r, messages)
	switch {
	case !c.none():
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"type":"error","error":{"type":"invalid_request_error","message":%q},"request_id":"req_1"}`, strings.Join(c.list, "; "))
	case stream:
		w.Header().Set("Content-Type", "text/event-stream")
		sse(w, claudeStream(t))
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, claudeUnary(t))
	}
}

// checkCall checks address, credentials and the members that differ by place.
func (p claude) checkCall(c *complaints, r *request, stream bool) {
	method := ":rawPredict"
	if stream {
		method = ":streamRawPredict"
	}
	switch {
	case p.vertex:
		c.want("path", r.URL.Path, "/v1/projects/weather/locations/europe-north1/publishers/anthropic/models/"+Model("vertex")+method)
		c.want("authorization", r.Header.Get("Authorization"), "Bearer "+p.oauth.current())
	case p.proxy:
		c.want("path", r.URL.Path, "/v1"+method)
		c.want("api-key", r.Header.Get("Api-Key"), Key(r.kind))
	default:
		c.want("path", r.URL.Path, "/v1/messages")
		c.want("x-api-key", r.Header.Get("X-Api-Key"), Key(r.kind))
		// the client's own for messages, which its SDK moves on
		c.want("anthropic-version is there", strconv.FormatBool(r.Header.Get("Anthropic-Version") != ""), "true")
		c.want("model", text(r.body, "model"), Model("anthropic"))
		return
	}
	c.want("anthropic_version", text(r.body, "anthropic_version"), "vertex-2023-10-16")
	c.without("the body", r.body, "model")
	c.want("anthropic-version", r.Header.Get("Anthropic-Version"), "")
}

// checkLimits checks what belongs together: length, budget and sampling.
func (p claude) checkLimits(c *complaints, r *request) {
	limit, _ := r.body["max_tokens"].(float64)
	if limit < 1 {
		c.sayf("max_tokens is missing")
	}
	if object(r.body, "thinking") == nil {
		return
	}
	budget, _ := at(r.body, "thinking", "budget_tokens").(float64)
	if budget < 1024 || budget >= limit {
		c.sayf("budget_tokens %v, of at least 1024 and less than max_tokens %v", budget, limit)
	}
	if t, ok := r.body["temperature"].(float64); ok && t != 1 {
		c.sayf("temperature %v with thinking", t)
	}
	c.without("a request with thinking", r.body, "top_k")
}

// checkTurns demands alternating turns without empty texts.
func checkTurns(c *complaints, messages []any) {
	if len(messages) == 0 {
		c.sayf("messages are missing")
	}
	for i, m := range messages {
		want := "user"
		if i%2 == 1 {
			want = "assistant"
		}
		c.want(fmt.Sprintf("messages[%d].role", i), text(m, "role"), want)
		for _, block := range list(m, "content") {
			if text(block, "type") == "text" && text(block, "text") == "" {
				c.sayf("messages[%d] has an empty text", i)
			}
		}
	}
}

func claudeTurn(c *complaints, r *request, messages []any) turn {
	last := object(messages, -1)
	if result := object(last, "content", 0); text(result, "type") == "tool_result" {
		c.want("tool_use_id", text(result, "tool_use_id"), "toolu_01Weather")
		c.want("result", words(result["content"]), Result)
		checkThinkingTurn(c, list(messages, -2, "content"))
		return turn{thought: second, text: Answer}
	}
	if list(r.body, "tools") == nil {
		return turn{text: greeting}
	}
	c.want("tool", text(r.body, "tools", 0, "name"), Tool)
	c.want("question", words(last["content"]), Question)
	c.want("thinking", text(r.body, "thinking", "type"), "enabled")
	c.want("system", strings.Contains(fmt.Sprint(r.body["system"]), "Use the tool"), true)
	return turn{thought: first, call: true}
}

// checkThinkingTurn demands the thoughts first, as they were signed, and the
// call behind them.
func checkThinkingTurn(c *complaints, blocks []any) {
	c.want("thoughts of the earlier turn", at(blocks, 0), map[string]any{"type": "thinking", "thinking": first, "signature": signature})
	call := object(blocks, -1)
	c.want("call", text(call, "name"), Tool)
	c.want("call id", text(call, "id"), "toolu_01Weather")
	c.want("input", call["input"], map[string]any{"city": Place})
}

func (t turn) stopReason() string {
	if t.call {
		return "tool_use"
	}
	return "end_turn"
}

const claudeUsage = `{"input_tokens":80,"cache_read_input_tokens":40,"cache_creation_input_tokens":0,"output_tokens":30}`

func claudeUnary(t turn) string {
	var blocks []string
	if t.thought != "" {
		blocks = append(blocks, fmt.Sprintf(`{"type":"thinking","thinking":%q,"signature":%q}`, t.thought, signature))
	}
	if t.text != "" {
		blocks = append(blocks, fmt.Sprintf(`{"type":"text","text":%q}`, t.text))
	}
	if t.call {
		blocks = append(blocks, `{"type":"tool_use","id":"toolu_01Weather","name":"get_weather","input":{"city":"Oslo"}}`)
	}
	return fmt.Sprintf(`{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[%s],"stop_reason":%q,"stop_sequence":null,"usage":%s}`,
		strings.Join(blocks, ","), t.stopReason(), claudeUsage)
}

func claudeStream(t turn) []string {
	s := claudeEvents{}
	s.put("message_start", `"message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":80,"cache_read_input_tokens":40,"cache_creation_input_tokens":0,"output_tokens":1}}`)
	s.put("ping", "")
	if t.thought != "" {
		s.block(`{"type":"thinking","thinking":"","signature":""}`, append(deltas("thinking", t.thought), fmt.Sprintf(`{"type":"signature_delta","signature":%q}`, signature))...)
	}
	if t.text != "" {
		s.block(`{"type":"text","text":""}`, deltas("text", t.text)...)
	}
	if t.call {
		s.block(`{"type":"tool_use","id":"toolu_01Weather","name":"get_weather","input":{}}`,
			`{"type":"input_json_delta","partial_json":""}`, `{"type":"input_json_delta","partial_json":"{\"city\": \"O"}`, `{"type":"input_json_delta","partial_json":"slo\"}"}`)
	}
	s.put("message_delta", fmt.Sprintf(`"delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":30}`, t.stopReason()))
	s.put("message_stop", "")
	return s.out
}

func deltas(kind, s string) (out []string) {
	for _, piece := range pieces(s) {
		out = append(out, fmt.Sprintf(`{"type":"%s_delta",%q:%q}`, kind, kind, piece))
	}
	return out
}

// claudeEvents writes a stream; blocks counts its content blocks.
type claudeEvents struct {
	out    []string
	blocks int
}

func (s *claudeEvents) put(name, members string) {
	if members != "" {
		members = "," + members
	}
	s.out = append(s.out, fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}  \n\n", name, name, members))
}

func (s *claudeEvents) block(start string, deltas ...string) {
	s.put("content_block_start", fmt.Sprintf(`"index":%d,"content_block":%s`, s.blocks, start))
	for _, d := range deltas {
		s.put("content_block_delta", fmt.Sprintf(`"index":%d,"delta":%s`, s.blocks, d))
	}
	s.put("content_block_stop", fmt.Sprintf(`"index":%d`, s.blocks))
	s.blocks++
}
