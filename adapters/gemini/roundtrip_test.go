package gemini_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
)

// What an answer carried out comes back in the next turn on the same parts.
func TestAnswersComeBack(t *testing.T) {
	f := func(name, model, want string) {
		t.Helper()
		stream, err := os.ReadFile(filepath.Join("testdata", "gemini", name, "stream.txt"))
		if err != nil {
			t.Fatal(err)
		}
		a := adapter(t, settings(model))
		got := adaptertest.Stream(a, stream, 50)
		if got.Err != nil {
			t.Fatal(got.Err)
		}
		sends(t, settings(model), `"messages":[`+asked+`,`+replay(t, got.Choices[0])+`]`, `"contents":[`+askedSent+`,`+want+`]`)
	}
	f("calls-one-by-one-stream", "gemini-3-flash-preview", `{"role":"model","parts":[
		{"functionCall":{"id":"call_made-up-2_0","name":"open","args":{"path":"a \"b\".txt"}},"thoughtSignature":"bWFkZSB1cCBvbmU="},
		{"functionCall":{"id":"call_made-up-2_1","name":"now","args":{}}}]},
		{"role":"user","parts":[{"functionResponse":{"id":"call_made-up-2_0","name":"open","response":{"result":"ok"}}},{"functionResponse":{"id":"call_made-up-2_1","name":"now","response":{"result":"ok"}}}]}`)
	f("signature-after-text-stream", "gemini-3-flash-preview", `{"role":"model","parts":[{"text":"Done","thoughtSignature":"bWFkZSB1cCB0d28="}]}`)
}

// replay writes an answer as a client puts it into its next request, with a
// result for each call.
func replay(t *testing.T, c adaptertest.Choice) string {
	t.Helper()
	m := object{"role": "assistant", "content": c.Content, "reasoning": c.Reasoning, "reasoning_details": c.Details}
	messages := []any{m}
	var calls []any
	for _, tool := range c.Tools {
		calls = append(calls, object{"id": tool.ID, "type": "function", "function": object{"name": tool.Name, "arguments": tool.Arguments}})
		messages = append(messages, object{"role": "tool", "tool_call_id": tool.ID, "content": "ok"})
	}
	if calls != nil {
		m["tool_calls"] = calls
	}
	raw, err := json.Marshal(messages)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw[1 : len(raw)-1])
}
