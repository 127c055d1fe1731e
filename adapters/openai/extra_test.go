package openai_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
)

// TestSignaturesComeBack takes the signature of a thought out of extra_content
// and sends it back there, from clients that keep it in either form; no other
// model's server gets it.
func TestSignaturesComeBack(t *testing.T) {
	const (
		extra  = `{"google":{"thought_signature":"SIG"}}`
		detail = `{"type":"reasoning.encrypted","data":"SIG","id":"c","format":"google-gemini-v1"}`
		answer = `{"id":"a","choices":[{"message":{"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":` + extra + `}]},"finish_reason":"tool_calls"}]}`
	)
	events, err := adapter(t, endpoint("openai_compat", "gemini-3-pro")).Decoder().Body([]byte(answer), nil)
	if err != nil || string(events[0].Details) != `[`+detail+`]` || string(events[0].Tools[0].Extra) != extra {
		t.Fatalf("%v %+v", err, events)
	}
	call := func(more, member string) string {
		return user + `,{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}` + more + `}]` + member + `},{"role":"tool","tool_call_id":"c","content":"r"}`
	}
	const own, details = `,"extra_content":` + extra, `,"reasoning_details":[` + detail + `]`
	for _, c := range []struct{ kind, model, messages, want string }{
		{"openai_compat", "gemini-3-pro", call("", details), call(own, "")},
		{"openai_compat", "gemini-3-pro", call(own, details), call(own, "")},
		{"openai_compat", "some-name", call(own, ""), call(own, "")},
		{"openai", "gpt-6", call(own, ""), call("", "")},
		{"groq", "m", call(own, own), call("", "")},
		{"vllm", "m", call("", details), call("", "")},
	} {
		sent := adaptertest.Encode(t, adapter(t, endpoint(c.kind, c.model)), []byte(`{"messages":[`+c.messages+`]}`))
		compare(t, c.kind+c.messages, sent, `{"model":"`+c.model+`","messages":[`+c.want+`]}`, nil)
		if lost := strings.Contains(c.messages, own) && !strings.Contains(c.want, own); lost != (strings.Join(sent.Omitted, "") == "messages.extra_content") {
			t.Errorf("%s: omitted %q", c.kind, sent.Omitted)
		}
	}
}

// A choice without tools is refused by OpenAI.
func TestChoiceWithoutTools(t *testing.T) {
	sent := adaptertest.Encode(t, adapter(t, endpoint("openai", "gpt-6")), []byte(`{"messages":[`+user+`],"parallel_tool_calls":true,"tool_choice":"auto"}`))
	compare(t, "", sent, `{"model":"gpt-6","messages":[`+user+`]}`, nil)
	if sent.Dropped != chat.SetOf() {
		t.Errorf("dropped %v", sent.Dropped.Names())
	}
}
