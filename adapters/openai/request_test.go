package openai_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

func adapter(t testing.TB, s codec.Settings) codec.Adapter {
	t.Helper()
	a, err := adapters.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// encodes checks what becomes of a client's request, whose messages may be left
// out. want is the built body less its model and messages.
func encodes(t *testing.T, s codec.Settings, client, want string, dropped ...string) {
	t.Helper()
	const messages = `"messages":[{"role":"user","content":"x"}]`
	call := adaptertest.Encode(t, adapter(t, s), []byte(`{"model":"ours",`+messages+sep(client)+client+`}`))
	compare(t, client, call, `{"model":"`+s.Model+`",`+messages+sep(want)+want+`}`, dropped)
}

func sep(members string) string {
	if members == "" {
		return ""
	}
	return ","
}

func compare(t *testing.T, client string, call *codec.Call, want string, dropped []string) {
	t.Helper()
	diffs, err := adaptertest.Compare([]byte(want), call.Body)
	if err != nil {
		t.Fatalf("%s became %s: %v", client, call.Body, err)
	}
	for _, d := range diffs {
		t.Errorf("%s: %v", client, d)
	}
	if got := strings.Join(call.Dropped.Names(), " "); got != strings.Join(dropped, " ") {
		t.Errorf("%s: dropped %q, want %q", client, got, dropped)
	}
}

func TestEncodeParameters(t *testing.T) {
	f := func(kind, client, want string, dropped ...string) {
		t.Helper()
		s := endpoint(kind, "m")
		s.MaxOutput = 100
		encodes(t, s, client, want, dropped...)
	}
	f("openai_compat", `"temperature":0,"stop":["a","b"],"seed":1`, `"temperature":0,"stop":["a","b"],"seed":1`)
	f("openai_compat", `"models":["x"],"provider":{},"transforms":[],"usage":{"include":true},"session_id":"s","trace":{}`, ``)
	f("openai_compat", `"safe_prompt":true,"a\"b":1`, `"safe_prompt":true,"a\"b":1`)
	f("openai_compat", `"user":"ada@example.com"`, `"user":"ada@example.com"`)
	f("openai_compat", `"user":"user_`+strings.Repeat("a", 64)+`"`, `"user":"`+fmt.Sprintf("%x", sha256.Sum256([]byte("user_"+strings.Repeat("a", 64))))+`"`)
	f("openai_compat", `"max_tokens":5000`, `"max_tokens":100`)
	f("openai_compat", `"max_tokens":7,"max_completion_tokens":9`, `"max_completion_tokens":9`)
	f("openai_compat", `"max_tokens":5.0`, `"max_tokens":5`)
	f("openai_compat", `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`)
	f("openai_compat", `"stream":false,"stream_options":{"include_usage":false}`, ``)
	f("openai_compat", `"response_format":{"type":"json_schema","schema":{"type":"object"}}`,
		`"response_format":{"type":"json_schema","json_schema":{"name":"response","schema":{"type":"object"}}}`)
	f("openai_compat", `"tools":[{"type":"function","function":{"name":"f"},"cache_control":{"type":"ephemeral"}}],"tool_choice":"any"`,
		`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required"`, "cache_control")
	f("deepseek", `"max_completion_tokens":9,"seed":1,"n":2`, `"max_tokens":9`, "seed", "n")
	f("zhipu", `"temperature":1.7,"stop":"a"`, `"temperature":1,"stop":["a"]`)
	f("zhipu", `"stop":["a","b"]`, `"stop":["a"]`, "stop")
	f("zhipu", `"stop":[],"do_sample":false`, `"stop":[],"do_sample":false`)
	f("minimax", `"temperature":0,"max_tokens":5`, `"temperature":0.01,"max_completion_tokens":5`)
	f("minimax", `"temperature":1.5`, `"temperature":1`)
	f("minimax", `"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g","parameters":{"type":"object"}}}],"tool_choice":"auto"`,
		`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"g","parameters":{"type":"object"}}}]`)
	f("ollama", `"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none"`, ``)
	f("ollama", `"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required"`, `"tools":[{"type":"function","function":{"name":"f"}}]`, "tool_choice")
	f("ollama", `"user":"u","n":2`, ``, "n", "user")
	f("groq", `"top_k":3,"user":"u"`, `"user":"u"`, "top_k")
	f("openrouter", `"transforms":["middle-out"],"plugins":[],"top_a":0.5,"models":["x"],"provider":{"order":["y"]}`,
		`"transforms":["middle-out"],"plugins":[],"top_a":0.5,"usage":{"include":true}`)
	f("featherless", `"max_completion_tokens":5,"verbosity":"low"`, `"max_tokens":5`, "verbosity")
	f("mistral", `"seed":7,"stream":true,"user":"u"`, `"random_seed":7,"stream":true`, "user")
	f("xai", `"stop":"a","presence_penalty":0,"logprobs":true`, `"logprobs":true`, "presence_penalty", "stop")
	f("together", `"max_completion_tokens":5,"top_k":3`, `"max_tokens":5,"top_k":3`)
	f("fireworks", `"user":"u","min_p":0.1,"verbosity":"low"`, `"user":"u","min_p":0.1`, "verbosity")
	f("qwen", `"frequency_penalty":1,"presence_penalty":1`, `"presence_penalty":1`, "frequency_penalty")
}

func TestEncodeWhatTheModelTakes(t *testing.T) {
	s := codec.Settings{Kind: "vllm", BaseURL: "http://upstream.test", Model: "m"}
	encodes(t, s, `"top_k":3,"seed":1,"temperature":1,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto","response_format":{"type":"json_object"}`,
		`"temperature":1`, "top_k", "seed", "response_format", "tools", "tool_choice")
	encodes(t, s, `"reasoning_effort":"high"`, ``, "reasoning_effort")
	s.Params = chat.SetOf(chat.TopK)
	encodes(t, s, `"top_k":3,"seed":1`, `"top_k":3`, "seed")

	var r chat.Request
	for part, want := range map[string]string{
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}`:      "image",
		`{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}`:        "audio",
		`{"type":"file","file":{"file_data":"data:application/pdf;base64,AA"}}`:    "file",
		`{"type":"video_url","video_url":{"url":"https://example.com/video.mp4"}}`: "video",
	} {
		if err := r.Parse([]byte(`{"messages":[{"role":"user","content":[` + part + `]}]}`)); err != nil {
			t.Fatal(err)
		}
		err := adapter(t, s).Encode(&r, &codec.Call{})
		if fault.KindOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), want+" input") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestEncodeThinking(t *testing.T) {
	f := func(kind, client, want string, dropped ...string) {
		t.Helper()
		encodes(t, endpoint(kind, "m"), client, want, dropped...)
	}
	for _, kind := range []string{"openai_compat", "vllm", "ollama", "deepseek", "zhipu"} {
		f(kind, `"include_reasoning":false`, ``)
		f(kind, `"reasoning":{"exclude":true}`, ``)
	}
	f("openai_compat", `"reasoning":{"effort":"max"}`, `"reasoning_effort":"xhigh"`)
	f("openai_compat", `"reasoning":{"enabled":false}`, `"reasoning_effort":"none"`)
	f("openai_compat", `"reasoning":{"max_tokens":1000},"max_tokens":10000`, `"reasoning_effort":"low","max_tokens":10000`)
	f("openai_compat", `"reasoning":{"max_tokens":4000}`, `"reasoning_effort":"medium"`)
	f("openai_compat", `"reasoning":{"max_tokens":16000}`, `"reasoning_effort":"high"`)
	f("vllm", `"reasoning_effort":"xhigh"`, `"chat_template_kwargs":{"enable_thinking":true,"thinking":true},"reasoning_effort":"high"`)
	f("vllm", `"thinking":{"type":"disabled"}`, `"chat_template_kwargs":{"enable_thinking":false,"thinking":false}`)
	f("vllm", `"reasoning":{"enabled":true},"chat_template_kwargs":{"x":1}`, `"chat_template_kwargs":{"x":1}`)
	f("ollama", `"reasoning":{"effort":"none"}`, `"reasoning_effort":"none"`)
	f("ollama", `"reasoning":{"effort":"minimal"}`, `"reasoning_effort":"low"`)
	f("deepseek", `"reasoning":{"effort":"xhigh"}`, `"thinking":{"type":"enabled"},"reasoning_effort":"max"`)
	f("deepseek", `"thinking":{"type":"enabled","budget_tokens":1024}`, `"thinking":{"type":"enabled"},"reasoning_effort":"high"`)
	f("deepseek", `"reasoning":{"enabled":false}`, `"thinking":{"type":"disabled"}`)
	f("zhipu", `"thinking":{"type":"enabled","clear_thinking":false}`, `"thinking":{"type":"enabled","clear_thinking":false}`)
	f("minimax", `"reasoning_effort":"low"`, ``, "reasoning_effort")
	f("openrouter", `"reasoning":{"effort":"high","exclude":true}`, `"reasoning":{"effort":"high","exclude":true},"usage":{"include":true}`)
	f("openrouter", `"thinking":{"type":"enabled","budget_tokens":2000}`, `"reasoning":{"max_tokens":2000},"usage":{"include":true}`)
	f("openrouter", `"thinking":{"type":"disabled"}`, `"reasoning":{"enabled":false},"usage":{"include":true}`)
}

func TestExtraBody(t *testing.T) {
	s := endpoint("vllm", "m")
	s.ExtraBody = []byte(`{"top_k":5,"chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"low","max_tokens":3}`)
	encodes(t, s, `"top_k":9,"reasoning_effort":"high","max_tokens":100,"temperature":1`,
		`"temperature":1,"top_k":5,"chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"low","max_tokens":3`)
	s = endpoint("minimax", "MiniMax-M2")
	encodes(t, s, ``, `"reasoning_split":true`)
	s.ExtraBody = []byte(`{"reasoning_split":false}`)
	encodes(t, s, `"reasoning_split":true`, `"reasoning_split":false`)
}

func TestNewRefuses(t *testing.T) {
	f := func(s codec.Settings, want string) {
		t.Helper()
		if _, err := adapters.New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	f(codec.Settings{Kind: "bard"}, `kind "bard" is not one of vllm, sglang, ollama,`)
	f(codec.Settings{Kind: "vllm", Slug: "x"}, "pins no provider")
	f(codec.Settings{Kind: "openrouter", Slug: `x","y`}, "only letters")
	f(codec.Settings{Kind: "vllm", Processor: "xml"}, `processor "xml" is not one of default,`)
	f(codec.Settings{Kind: "vllm", ExtraBody: []byte(`[]`)}, "extra_body: must be an object")
	f(codec.Settings{Kind: "vllm", ExtraBody: []byte(`{`)}, "extra_body: invalid JSON")
	f(codec.Settings{Kind: "vllm", ExtraBody: []byte(`{"model":"x"}`)}, "extra_body: model: is the gateway's to set")
}

func TestURLs(t *testing.T) {
	f := func(kind, base, want string) {
		t.Helper()
		s := endpoint(kind, "m")
		s.BaseURL = base
		if got := adaptertest.Encode(t, adapter(t, s), []byte(`{"messages":[{"role":"user","content":"x"}]}`)).URL; got != want {
			t.Errorf("%s at %s: %s, want %s", kind, base, got, want)
		}
	}
	f("vllm", "http://h:8000", "http://h:8000/v1/chat/completions")
	f("vllm", "http://h:8000/v1", "http://h:8000/v1/chat/completions")
	f("vllm", "http://h:8000/v1/", "http://h:8000/v1/chat/completions")
	f("openai_compat", "http://h/", "http://h/v1/chat/completions")
	f("openai_compat", "https://ark.example.com/api/v3", "https://ark.example.com/api/v3/chat/completions")
	f("openai_compat", "https://h/v1beta/openai/", "https://h/v1beta/openai/chat/completions")
	f("deepseek", "https://api.deepseek.com/beta", "https://api.deepseek.com/beta/chat/completions")
	f("openrouter", "https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions")
	f("zhipu", "https://api.z.ai/api/paas/v4", "https://api.z.ai/api/paas/v4/chat/completions")
	f("zai", "https://api.z.ai/api/coding/paas/v4/", "https://api.z.ai/api/coding/paas/v4/chat/completions")
}

func TestPinnedOpenRouter(t *testing.T) {
	s := endpoint("openrouter", "vendor/m")
	s.Slug = "deepinfra"
	encodes(t, s, `"provider":{"order":["other"]}`, `"usage":{"include":true},"provider":{"order":["deepinfra"],"allow_fallbacks":false}`)
	call := adaptertest.Encode(t, adapter(t, s), []byte(`{"messages":[{"role":"user","content":"x"}]}`))
	if len(call.Headers) != 0 { // names of ours are the operator's to send: extra_headers
		t.Errorf("headers %v", call.Headers)
	}
	if h := adapter(t, s).Authorize(" key\n"); h != (codec.Header{Name: "Authorization", Value: "Bearer key"}) {
		t.Errorf("%v", h)
	}
}

func TestTools(t *testing.T) {
	const (
		tool   = `{"type":"function","function":{"name":"f"}}`
		other  = `{"type":"function","function":{"name":"g"}}`
		forced = `"tool_choice":{"type":"function","function":{"name":"f"}}`
	)
	f := func(kind, client, want string, dropped ...string) {
		t.Helper()
		encodes(t, endpoint(kind, "m"), client, want, dropped...)
	}
	f("openai_compat", `"tools":[]`, ``)
	f("vllm", `"tools":[],"tool_choice":"auto","parallel_tool_calls":true`, ``)
	// members and tools of Anthropic's
	f("vllm", `"tools":[{"type":"function","function":{"name":"f"},"strict":true,"defer_loading":true,"allowed_callers":["x"],"input_examples":[{}],"eager_input_streaming":true}]`, `"tools":[{"type":"function","function":{"name":"f","strict":true}}]`)
	f("openai_compat", `"tools":[`+tool+`,{"type":"web_search_20250305","name":"web_search","max_uses":5}],`+forced, `"tools":[`+tool+`],`+forced, "tools")
	f("openai_compat", `"tools":[{"type":"web_search_20250305","name":"web_search"}],"tool_choice":"required"`, ``, "tools")
	f("deepseek", `"tools":[`+other+`,{"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"function","function":{"name":"web_search"}}`, `"tools":[`+other+`]`, "tools", "tool_choice")
	// tools of free text
	const custom = `{"type":"custom","custom":{"name":"g","description":"d","format":{"type":"text"}}}`
	f("openai_compat", `"tools":[`+custom+`]`, `"tools":[`+custom+`]`)
	f("vllm", `"tools":[`+custom+`],"tool_choice":{"type":"custom","custom":{"name":"g"}}`,
		`"tools":[{"type":"function","function":{"name":"g","description":"d","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}}}],"tool_choice":{"type":"function","function":{"name":"g"}}`)
	// a choice among some
	const some = `"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}`
	f("openai_compat", `"tools":[`+tool+`,`+other+`],`+some, `"tools":[`+tool+`,`+other+`],`+some)
	f("vllm", `"tools":[`+tool+`,`+other+`],`+some, `"tools":[`+other+`],"tool_choice":"required"`)
	f("openrouter", `"tools":[{"type":"openrouter:web_search"}]`, `"tools":[{"type":"openrouter:web_search"}],"usage":{"include":true}`)
}

// DeepSeek thinks unasked, and refuses to be forced while it thinks.
func TestForcedToolsAtDeepSeek(t *testing.T) {
	const tools = `"tools":[{"type":"function","function":{"name":"f"}}],`
	f := func(model, client, want string, dropped ...string) {
		t.Helper()
		encodes(t, endpoint("deepseek", model), tools+client, tools+want, dropped...)
	}
	const named = `"tool_choice":{"type":"function","function":{"name":"f"}}`
	f("deepseek-v4-flash", named, named+`,"thinking":{"type":"disabled"}`)
	f("deepseek-v4-flash", `"tool_choice":"required"`, `"tool_choice":"required","thinking":{"type":"disabled"}`)
	f("deepseek-v4-flash", named+`,"reasoning":{"effort":"high"}`, `"tool_choice":"auto","thinking":{"type":"enabled"},"reasoning_effort":"high"`, "tool_choice")
	f("deepseek-v4-flash", named+`,"reasoning":{"enabled":false}`, named+`,"thinking":{"type":"disabled"}`)
	f("deepseek-v4-flash", `"tool_choice":"auto"`, `"tool_choice":"auto"`)
	f("deepseek-chat", named, named)
	s := endpoint("deepseek", "deepseek-v4-flash")
	s.Params = 0 // whatever the model is said to take
	encodes(t, s, tools+named, tools+named+`,"thinking":{"type":"disabled"}`)
}

func TestEffortsByModel(t *testing.T) {
	f := func(kind, model, client, want string, dropped ...string) {
		t.Helper()
		encodes(t, endpoint(kind, model), client, want, dropped...)
	}
	effort := func(level string) string { return `"reasoning_effort":"` + level + `"` }
	const on, kwargs = `"thinking":{"type":"enabled"},`, `"chat_template_kwargs":{"enable_thinking":true,"thinking":true},`
	f("zai", "glm-5.3", effort("max"), on+effort("max"))
	f("zai", "glm-5.3", effort("none"), effort("low"))
	f("zai", "glm-5.1", effort("max"), on+effort("high"))
	f("zai", "glm-5.1", effort("none"), `"thinking":{"type":"disabled"}`)
	f("vllm", "deepseek-ai/DeepSeek-V4-Pro", effort("max"), kwargs+effort("max"))
	f("vllm", "deepseek-ai/DeepSeek-V4-Pro", effort("low"), kwargs+effort("high"))
	f("vllm", "Qwen/Qwen3-32B", effort("max"), kwargs+effort("high"))
	f("chutes", "zai-org/GLM-5.3", effort("none"), effort("low"))
	f("minimax", "MiniMax-M3", effort("none"), `"thinking":{"type":"disabled"}`)
	f("minimax", "MiniMax-M3", effort("high"), `"thinking":{"type":"adaptive"}`)
	f("minimax", "MiniMax-M2", effort("high"), `"reasoning_split":true`, "reasoning_effort")
	f("openai_compat", "gpt-6-luna", effort("max"), effort("xhigh"))
	f("openai_compat", "gpt-5-nano", effort("none"), effort("minimal"))
	f("openai_compat", "gpt-5.4", effort("none"), effort("none"))
	f("openai_compat", "unheard-of", effort("none"), effort("none"))
	s := endpoint("openai_compat", "unheard-of")
	s.Traits = &wire.Traits{Efforts: []string{"low", "max"}, MaxTokensField: "max_completion_tokens", Sampling: "without_thinking"}
	encodes(t, s, effort("medium")+`,"temperature":0.5,"max_tokens":5`, effort("low")+`,"max_completion_tokens":5`, "temperature")
}

func TestSamplingBesideReasoning(t *testing.T) {
	f := func(model, client, want string, dropped ...string) {
		t.Helper()
		encodes(t, endpoint("openai_compat", model), client, want, dropped...)
	}
	f("gpt-6-luna", `"temperature":0.5,"reasoning_effort":"low"`, `"reasoning_effort":"low"`, "temperature")
	f("gpt-6-luna", `"temperature":0.5,"top_p":0.5`, `"temperature":0.5,"top_p":0.5`)
	f("gpt-6-luna", `"temperature":0.5,"reasoning_effort":"none"`, `"temperature":0.5,"reasoning_effort":"none"`)
	f("o4-mini", `"temperature":0.5,"presence_penalty":1`, ``, "temperature", "presence_penalty")
	f("o4-mini", `"temperature":1`, `"temperature":1`)
	f("gpt-4o", `"temperature":0.5,"presence_penalty":1`, `"temperature":0.5,"presence_penalty":1`)
	f("anthropic/claude-opus-5", `"temperature":0.5`, `"temperature":0.5`)
}

func TestNewOpenAIModelsTakeTheNewLimit(t *testing.T) {
	for model, want := range map[string]string{"gpt-5-nano": "max_completion_tokens", "gpt-6-luna": "max_completion_tokens", "o3": "max_completion_tokens", "gpt-4o": "max_tokens", "openai/gpt-oss-20b": "max_tokens"} {
		encodes(t, endpoint("openai_compat", model), `"max_tokens":5`, `"`+want+`":5`)
	}
}

func FuzzEncode(f *testing.F) {
	var list []codec.Adapter
	for _, kind := range compatible() {
		s := endpoint(kind, "MiniMax-M2")
		list = append(list, adapter(f, s))
		s.Inputs, s.ExtraBody = 0, []byte(`{"top_k":5,"user":"u"}`)
		list = append(list, adapter(f, s))
	}
	adaptertest.FuzzRequest(f, list...)
}

func BenchmarkEncode(b *testing.B) {
	agent := `{"model":"m","stream":true,"temperature":0.2,"messages":[{"role":"system","content":"s"},{"role":"user","content":"` + strings.Repeat("words and more ", 2000) + `"},` +
		`{"role":"assistant","content":null,"reasoning":"hm","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}]}`
	for name, body := range map[string]string{"small": `{"model":"m","messages":[{"role":"user","content":"Ping"}],"max_tokens":64,"stream":true}`, "agent": agent} {
		b.Run(name, func(b *testing.B) {
			a := adapter(b, endpoint("vllm", "m"))
			var r chat.Request
			if err := r.Parse([]byte(body)); err != nil {
				b.Fatal(err)
			}
			var call codec.Call
			b.ReportAllocs()
			for b.Loop() {
				call.Reset()
				if err := a.Encode(&r, &call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
