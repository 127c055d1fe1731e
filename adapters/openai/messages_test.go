package openai_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// rewrites checks the messages, and what else follows from them.
func rewrites(t *testing.T, s codec.Settings, messages, want, more string) {
	t.Helper()
	call := adaptertest.Encode(t, adapter(t, s), []byte(`{"messages":[`+messages+`]}`))
	compare(t, messages, call, `{"model":"`+s.Model+`","messages":[`+want+`]`+sep(more)+more+`}`, nil)
}

const user = `{"role":"user","content":"x"}`

func TestMessages(t *testing.T) {
	f := func(kind, messages, want string) {
		t.Helper()
		rewrites(t, endpoint(kind, "m"), messages, want, "")
	}
	f("openai_compat", `{"role":"developer","content":"a"},`+user, `{"role":"developer","content":"a"},`+user)
	f("vllm", `{"role":"developer","content":"a"},`+user, `{"role":"system","content":"a"},`+user)
	f("vllm", `{"role":"user","content":"x","name":null}`, user)
	f("vllm", `{"role":"user","content":null}`, `{"role":"user","content":null}`)
	f("vllm", `{"role":"system","content":"a"},{"role":"developer","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]},`+user,
		`{"role":"system","content":"a\n\nb\nc"},`+user)
	f("vllm", `{"role":"system","content":"a"},{"role":"system","content":"b"}`, `{"role":"system","content":"a\n\nb"}`)
	f("vllm", `{"role":"system","content":"a"},`+user+`,{"role":"system","content":"b"},`+user,
		`{"role":"system","content":"a"},`+user+`,{"role":"system","content":"b"},`+user)
	f("deepseek", `{"role":"system","content":"a"},{"role":"system","content":"b"},`+user, `{"role":"system","content":"a"},{"role":"system","content":"b"},`+user)
	f("vllm", `{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}],"cache_control":{"type":"ephemeral"}}`,
		`{"role":"user","content":[{"type":"text","text":"x"}]}`)
	f("groq", `{"role":"user","content":"x","annotations":[],"name":"n"}`, `{"role":"user","content":"x","name":"n"}`)
}

func TestPlainModelsGetPlainText(t *testing.T) {
	s := codec.Settings{Kind: "vllm", BaseURL: "http://upstream.test", Model: "m"}
	rewrites(t, s, `{"role":"user","content":[{"type":"text","text":"a \"b\""},{"type":"text","text":"c"}]}`, `{"role":"user","content":"a \"b\"\nc"}`, "")
	s.Kind = "openrouter"
	rewrites(t, s, `{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}`,
		`{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}`, `"usage":{"include":true}`)
}

func TestArgumentsOfEarlierCalls(t *testing.T) {
	call := func(arguments string) string {
		return user + `,{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":` + arguments +
			`}}]},{"role":"tool","tool_call_id":"c","content":"r"}`
	}
	f := func(arguments, want string) {
		t.Helper()
		rewrites(t, endpoint("vllm", "m"), call(arguments), call(want), "")
	}
	f(`"{\"a\":1}"`, `"{\"a\":1}"`)
	f(`"{\"a\":"`, `"{}"`)
	f(`""`, `"{}"`)
	f(`"[1]"`, `"{}"`)
	f(`null`, `"{}"`)
	f(`{"a":1}`, `"{\"a\":1}"`)
	rewrites(t, endpoint("openai_compat", "m"), call(`"{"`), call(`"{"`), "")
}

func TestPrefill(t *testing.T) {
	const messages = user + `,{"role":"assistant","content":"So"}`
	rewrites(t, endpoint("vllm", "m"), messages, messages, `"continue_final_message":true,"add_generation_prompt":false`)
	rewrites(t, endpoint("sglang", "m"), messages, messages, `"continue_final_message":true`)
	rewrites(t, endpoint("openai_compat", "m"), messages, messages, "")
	call := adaptertest.Encode(t, adapter(t, endpoint("vllm", "m")), []byte(`{"messages":[`+messages+`],"continue_final_message":false}`))
	if strings.Count(string(call.Body), "continue_final_message") != 1 {
		t.Errorf("%s", call.Body)
	}
}

func TestOllamaTakesInlineImagesOnly(t *testing.T) {
	image := func(url string) string {
		return `{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + url + `"}}]}`
	}
	s := endpoint("ollama", "m")
	rewrites(t, s, image("data:image/png;base64,AA"), image("data:image/png;base64,AA"), "")
	var r chat.Request
	if err := r.Parse([]byte(`{"messages":[` + image("https://example.com/a.png") + `]}`)); err != nil {
		t.Fatal(err)
	}
	if err := adapter(t, s).Encode(&r, &codec.Call{}); fault.KindOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), "data: URLs") {
		t.Errorf("%v", err)
	}
}

// encodesAll checks a whole request.
func encodesAll(t *testing.T, kind, client, want string) {
	t.Helper()
	call := adaptertest.Encode(t, adapter(t, endpoint(kind, "m")), []byte(client))
	compare(t, client, call, want, nil)
}
