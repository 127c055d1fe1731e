package openai_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

const forced = `"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required"`

// TestHostedModels has what the models of the newer hosted APIs refuse.
func TestHostedModels(t *testing.T) {
	f := func(kind, model, client, want string, dropped ...string) {
		t.Helper()
		encodes(t, endpoint(kind, model), client, want, dropped...)
	}
	auto := strings.Replace(forced, "required", "auto", 1)
	f("moonshot", "kimi-k2.6", `"temperature":0.2,"reasoning":{"effort":"high"}`, `"thinking":{"type":"enabled"}`, "temperature")
	f("moonshot", "kimi-k2.6", forced, forced+`,"thinking":{"type":"disabled"}`)
	f("moonshot", "kimi-k2-thinking", forced+`,"reasoning":{"enabled":false}`, auto, "tool_choice", "reasoning")
	f("moonshot", "kimi-k2-0905-preview", `"temperature":1.5,`+forced, `"temperature":1,`+forced)
	f("qwen", "qwen3.6-plus", `"max_tokens":1000,"reasoning":{"effort":"low"}`, `"max_tokens":1000,"enable_thinking":true,"thinking_budget":200`)
	f("qwen", "qwen3.6-plus", `"reasoning":{"max_tokens":300}`, `"enable_thinking":true,"thinking_budget":300`)
	f("qwen", "qwen3.6-plus", forced, forced+`,"enable_thinking":false`)
	f("qwen", "qwen-plus", forced, forced)
	f("qwen", "qwen3.6-plus", `"thinking":{"type":"enabled"},"enable_thinking":false`, `"enable_thinking":false`)
	f("qwen", "qwen3-235b-a22b-thinking-2507", `"reasoning":{"enabled":false}`, ``, "reasoning")
	f("xai", "grok-4.3", `"reasoning":{"effort":"max"}`, `"reasoning_effort":"high"`)
	f("xai", "grok-3-mini", `"reasoning_effort":"medium"`, `"reasoning_effort":"high"`)
	f("xai", "grok-4-1-fast", `"reasoning_effort":"low"`, ``, "reasoning_effort")
	f("xai", "grok-4.20-0309-non-reasoning", `"reasoning_effort":"low","stop":"a"`, `"stop":"a"`, "reasoning_effort")
	f("mistral", "mistral-medium-3.5", `"reasoning":{"effort":"low"}`, `"reasoning_effort":"high"`)
	f("mistral", "mistral-medium-3.5", `"reasoning":{"enabled":false}`, `"reasoning_effort":"none"`)
	f("mistral", "magistral-medium-latest", `"reasoning":{"effort":"low"}`, ``, "reasoning")
}

// TestJSONModeWithoutThinking: a model of Qwen's that thinks by default answers
// in JSON without, and in words if the client wants to see it think.
func TestJSONModeWithoutThinking(t *testing.T) {
	f := func(model, client, want, dropped string) {
		t.Helper()
		var r chat.Request
		if err := r.Parse([]byte(`{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_object"}` + client + `}`)); err != nil {
			t.Fatal(err)
		}
		var call codec.Call
		if err := adapter(t, endpoint("qwen", model)).Encode(&r, &call); err != nil {
			t.Fatal(err)
		}
		if got := string(call.Body); !strings.Contains(got, "Answer with a JSON object") || !strings.HasSuffix(got, want+"}") || strings.Contains(got, "enable_thinking") != strings.Contains(want, "enable_thinking") {
			t.Errorf("%s%s: %s, want an end in %s", model, client, got, want)
		}
		if got := strings.Join(call.Dropped.Names(), ","); got != dropped {
			t.Errorf("%s%s: dropped %q, want %q", model, client, got, dropped)
		}
	}
	f("qwen3.6-plus", ``, `"response_format":{"type":"json_object"},"enable_thinking":false`, "")
	f("qwen3.6-plus", `,"reasoning":{"enabled":true}`, `"enable_thinking":true`, "response_format")
	f("qwen-plus", ``, `"response_format":{"type":"json_object"}`, "")
	f("qwen3-next-80b-a3b-thinking", ``, `]`, "response_format")
}

// TestHostedHistory has the forms in which earlier turns go back.
func TestHostedHistory(t *testing.T) {
	f := func(kind, model, message, want string) {
		t.Helper()
		var r chat.Request
		if err := r.Parse([]byte(`{"messages":[{"role":"user","content":"x"},` + message + `]}`)); err != nil {
			t.Fatal(err)
		}
		var call codec.Call
		if err := adapter(t, endpoint(kind, model)).Encode(&r, &call); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(call.Body), want) {
			t.Errorf("%s: %s lacks %s", kind, call.Body, want)
		}
	}
	const called = `{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"Ab3dE6gh9","type":"function","function":{"name":"f","arguments":""}}]},
		{"role":"tool","tool_call_id":"call_1","content":"r"},{"role":"tool","tool_call_id":"Ab3dE6gh9","content":"s"}`
	f("mistral", "m", called, `"tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"},"id":"74196fe72"},{"type":"function","id":"Ab3dE6gh9","function":{"name":"f","arguments":"{}"}}]`)
	f("mistral", "m", called, `{"role":"tool","tool_call_id":"74196fe72","content":"r"},{"role":"tool","tool_call_id":"Ab3dE6gh9","content":"s"}`)
	f("mistral", "m", `{"role":"assistant","content":"y"},{"role":"user","content":"z"},{"role":"assistant","content":"y"}`, `{"role":"assistant","content":"y"},{"role":"user","content":"z"},{"role":"assistant","content":"y","prefix":true}]`)
	f("moonshot", "kimi-k2.6", `{"role":"assistant","content":"y"}`, `{"role":"assistant","content":"y","partial":true}]`)
	f("moonshot", "kimi-k2.6", called, `"reasoning_content":""`)
	f("qwen", "qwen3.6-plus", `{"role":"assistant","content":"y","reasoning":"hm"},{"role":"user","content":"z"}`, `"reasoning_content":"hm"`)
}
