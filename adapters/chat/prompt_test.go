package chat_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func TestFromPrompt(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := chat.FromPrompt(nil, []byte(in))
		if err != nil || string(got) != want {
			t.Errorf("FromPrompt(%s)\n got %s, %v\nwant %s", in, got, err, want)
			return
		}
		var r chat.Request
		if err := r.Parse(got); err != nil {
			t.Errorf("%s: %v", got, err)
		}
	}
	f(`{"model":"m","prompt":"Say \"hi\"","max_tokens":5}`, `{"model":"m","messages":[{"role":"user","content":"Say \"hi\""}],"max_tokens":5}`)
	f(`{"prompt":["one"],"echo":false,"suffix":null,"best_of":1}`, `{"messages":[{"role":"user","content":"one"}]}`)
	f(`{"prompt":"x","logprobs":3,"x\"y":1}`, `{"messages":[{"role":"user","content":"x"}],"logprobs":true,"top_logprobs":3,"x\"y":1}`)
	f(`{"prompt":"x","logprobs":true}`, `{"messages":[{"role":"user","content":"x"}],"logprobs":true}`)
}

func TestFromPromptRefuses(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		_, err := chat.FromPrompt(nil, []byte(in))
		if err == nil || fault.KindOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), want) {
			t.Errorf("FromPrompt(%s): %v, want %q", in, err, want)
		}
	}
	f(`[]`, "must be a JSON object")
	f(`{"prompt":"x"`, "not valid JSON")
	f(`{"model":"m"}`, "prompt: required")
	f(`{"prompt":null}`, "prompt: required")
	f(`{"prompt":[]}`, "prompt: must have a text")
	f(`{"prompt":[1,2]}`, "token ids")
	f(`{"prompt":[[1,2]]}`, "token ids")
	f(`{"prompt":["a","b"]}`, "several prompts")
	f(`{"prompt":7}`, "prompt: must be a string")
	f(`{"prompt":"x","echo":true}`, "echo: not supported")
	f(`{"prompt":"x","suffix":"y"}`, "suffix: not supported")
	f(`{"prompt":"x","best_of":2}`, "best_of: not supported")
	f(`{"prompt":"x","logprobs":50}`, "logprobs: must be from 0 to 20")
	f(`{"prompt":"x","messages":[]}`, "messages: not taken here")
}

func FuzzFromPrompt(f *testing.F) {
	f.Add([]byte(`{"model":"m","prompt":["a"],"logprobs":2,"echo":false,"user":"u"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, err := chat.FromPrompt(nil, body); err == nil && rawjson.Valid(got) != nil {
			t.Fatalf("%s became %s", body, got)
		}
	})
}
