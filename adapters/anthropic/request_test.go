package anthropic_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// built returns the request that a client's request becomes for a model.
func built(t *testing.T, model, client string) *codec.Call {
	t.Helper()
	call := adaptertest.Encode(t, newAdapter(t, settings(model)), []byte(client))
	if err := rawjson.Valid(call.Body); err != nil {
		t.Fatalf("%v\n%s", err, call.Body)
	}
	return call
}

// member returns a member of the body by its path.
func member(call *codec.Call, path string) string {
	raw := call.Body
	for name := range strings.SplitSeq(path, ".") {
		raw = chat.Member(raw, name)
	}
	return string(raw)
}

// refusal returns what a client is told about a request that cannot be built.
func refusal(t *testing.T, s codec.Settings, client string) string {
	t.Helper()
	var r chat.Request
	if err := r.Parse([]byte(client)); err != nil {
		t.Fatal(err)
	}
	err := newAdapter(t, s).Encode(&r, &codec.Call{})
	if fault.KindOf(err) != fault.InvalidRequest {
		t.Fatalf("%s: %v, want an invalid request", client, err)
	}
	return fault.From(err).Message
}

func TestAddressAndHeaders(t *testing.T) {
	f := func(base, want string) {
		t.Helper()
		s := settings("claude-sonnet-4-5")
		s.BaseURL = base
		call := adaptertest.Encode(t, newAdapter(t, s), []byte(`{"messages":[{"role":"user","content":"x"}]}`))
		if call.URL != want {
			t.Errorf("%q: %s, want %s", base, call.URL, want)
		}
		if len(call.Headers) != 1 || call.Headers[0] != (codec.Header{Name: "anthropic-version", Value: "2023-06-01"}) {
			t.Errorf("headers %v", call.Headers)
		}
	}
	f("", "https://api.anthropic.com/v1/messages")
	f("https://api.anthropic.com", "https://api.anthropic.com/v1/messages")
	f("http://localhost:9000/v1", "http://localhost:9000/v1/messages")
	f("http://localhost:9000/v1/", "http://localhost:9000/v1/messages")

	a := newAdapter(t, settings("m"))
	if h := a.Authorize(" sk-ant-api03-x\n"); h != (codec.Header{Name: "x-api-key", Value: "sk-ant-api03-x"}) {
		t.Errorf("%v", h)
	}
	if h := a.Authorize("sk-ant-oat01-x"); h != (codec.Header{Name: "Authorization", Value: "Bearer sk-ant-oat01-x"}) {
		t.Errorf("%v", h)
	}
}

func TestMaxTokens(t *testing.T) {
	f := func(limit int64, client, want string) {
		t.Helper()
		s := settings("claude-sonnet-4-5")
		s.MaxOutput = limit
		call := adaptertest.Encode(t, newAdapter(t, s), []byte(`{"messages":[{"role":"user","content":"x"}]`+client+`}`))
		if got := member(call, "max_tokens"); got != want {
			t.Errorf("limit %d, %q: %s, want %s", limit, client, got, want)
		}
	}
	f(0, "", "4096")
	f(8192, "", "8192")
	f(8192, `,"max_tokens":100`, "100")
	f(8192, `,"max_tokens":100,"max_completion_tokens":200`, "200")
	f(8192, `,"max_tokens":100000`, "8192")
	f(0, `,"max_tokens":100000`, "100000")
}

func TestTurns(t *testing.T) {
	const call1 = `"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]`
	f := func(messages, want string) {
		t.Helper()
		call := built(t, "claude-sonnet-4-5", `{"messages":[`+messages+`],"tools":[{"type":"function","function":{"name":"f"}}]}`)
		if got := member(call, "messages"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", messages, got, want)
		}
	}
	const (
		user  = `{"role":"user","content":"q"}`
		use   = `{"type":"tool_use","id":"a","name":"f","input":{"x":1}}`
		r     = `{"type":"tool_result","tool_use_id":"a","content":"r"}`
		never = `{"type":"tool_result","tool_use_id":"a","content":"The call was not executed.","is_error":true}`
	)
	// adjacent messages of one side are merged
	f(user+`,`+user, `[{"role":"user","content":[{"type":"text","text":"q"},{"type":"text","text":"q"}]}]`)
	f(user+`,{"role":"assistant","content":"a"},{"role":"assistant","content":"b"},`+user,
		`[`+user+`,{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},`+user+`]`)
	f(user+`,{"role":"assistant","content":"a","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},`+user,
		`[`+user+`,{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"[The assistant made an image here, which this model cannot see]"}]},`+user+`]`)
	f(user+`,{"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{"name":"f","input":"{\n"}}]},{"role":"tool","tool_call_id":"a","content":"r"}`,
		`[`+user+`,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"input":"{\n"}}]},{"role":"user","content":[`+r+`]}]`)
	// text goes before the call, and what follows the call in the same turn too
	f(user+`,{"role":"assistant",`+call1+`},{"role":"assistant","content":"late"},{"role":"tool","tool_call_id":"a","content":"r"}`,
		`[`+user+`,{"role":"assistant","content":[{"type":"text","text":"late"},`+use+`]},{"role":"user","content":[`+r+`]}]`)
	// the result and the user's next words are one turn, the result first
	f(user+`,{"role":"assistant",`+call1+`},{"role":"tool","tool_call_id":"a","content":"r"},`+user,
		`[`+user+`,{"role":"assistant","content":[`+use+`]},{"role":"user","content":[`+r+`,{"type":"text","text":"q"}]}]`)
	f(user+`,{"role":"assistant",`+call1+`},`+user+`,{"role":"tool","tool_call_id":"a","content":"r"}`,
		`[`+user+`,{"role":"assistant","content":[`+use+`]},{"role":"user","content":[`+r+`,{"type":"text","text":"q"}]}]`)
	// a call without a result, at the end and in the middle
	f(user+`,{"role":"assistant",`+call1+`}`, `[`+user+`,{"role":"assistant","content":[`+use+`]},{"role":"user","content":[`+never+`]}]`)
	f(user+`,{"role":"assistant",`+call1+`},`+user,
		`[`+user+`,{"role":"assistant","content":[`+use+`]},{"role":"user","content":[`+never+`,{"type":"text","text":"q"}]}]`)
	// a second result for the same call
	f(user+`,{"role":"assistant",`+call1+`},{"role":"tool","tool_call_id":"a","content":"r"},{"role":"tool","tool_call_id":"a","content":"s"}`,
		`[`+user+`,{"role":"assistant","content":[`+use+`]},{"role":"user","content":[`+r+`]}]`)
	// a result whose call was cut off
	f(user+`,{"role":"tool","tool_call_id":"z","content":"r"}`,
		`[{"role":"user","content":[{"type":"text","text":"q"},{"type":"text","text":"Result of an earlier tool call:"},{"type":"text","text":"r"}]}]`)
	// empty and blank texts
	f(`{"role":"user","content":""},{"role":"user","content":[{"type":"text","text":" \n\t"},{"type":"text","text":"q"}]},{"role":"assistant","content":""},{"role":"user","content":"w"}`,
		`[{"role":"user","content":[{"type":"text","text":"q"},{"type":"text","text":"w"}]}]`)
	f(`{"role":"user","content":""}`, `[{"role":"user","content":"(The conversation begins.)"}]`)
	// the assistant cannot begin
	f(`{"role":"assistant","content":"hi"},`+user, `[{"role":"user","content":"(The conversation begins.)"},{"role":"assistant","content":"hi"},`+user+`]`)
	// errors of tools, refusals, an empty result
	f(user+`,{"role":"assistant",`+call1+`},{"role":"tool","tool_call_id":"a","content":"","is_error":true}`,
		`[`+user+`,{"role":"assistant","content":[`+use+`]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","is_error":true}]}]`)
	f(user+`,{"role":"assistant","content":null,"refusal":"no"},`+user, `[`+user+`,{"role":"assistant","content":[{"type":"text","text":"no"}]},`+user+`]`)
	// arguments that are not JSON
	f(user+`,{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":"}}]},{"role":"tool","tool_call_id":"a","content":"r"}`,
		`[`+user+`,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"arguments":"{\"x\":","note":"The arguments of this call were not a JSON object"}}]},{"role":"user","content":[`+r+`]}]`)
}

func TestToolIDs(t *testing.T) {
	turn := func(id string) string {
		return `{"role":"assistant","tool_calls":[{"id":"` + id + `","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"` + id + `","content":"r"}`
	}
	call := built(t, "claude-sonnet-4-5", `{"messages":[{"role":"user","content":"q"},`+turn("functions.f:0")+`,`+turn("functions.f:0")+`,`+turn("functions_f:0")+`,`+turn("ok-1")+`]}`)
	got := member(call, "messages")
	for _, id := range []string{"functions_f_0_465b9878", "functions_f_0_465b9878_2", "functions_f_0_7344dbbd", "ok-1"} {
		if n := strings.Count(got, `"`+id+`"`); n != 2 {
			t.Errorf("%s occurs %d times, want 2\n%s", id, n, got)
		}
	}
}

func TestSystem(t *testing.T) {
	f := func(messages, want string) {
		t.Helper()
		call := built(t, "claude-sonnet-4-5", `{"messages":[`+messages+`]}`)
		if got := member(call, "system"); got != want {
			t.Errorf("%s: %s, want %s", messages, got, want)
		}
	}
	f(`{"role":"user","content":"q"}`, ``)
	f(`{"role":"system","content":"a\"b"},{"role":"user","content":"q"},{"role":"developer","content":"c"},{"role":"user","content":"q"}`, `"a\"b"`)
	f(`{"role":"system","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}]},{"role":"system","content":"b"},{"role":"user","content":"q"}`,
		`[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"b"}]`)
	f(`{"role":"system","content":"a","cache_control":{"type":"ephemeral"}},{"role":"user","content":"q"}`, `[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]`)
}

// Later system messages stay where they are: the prefix is as it was.
func TestLateSystemMessages(t *testing.T) {
	f := func(model, messages, want string) {
		t.Helper()
		if got := member(built(t, model, `{"messages":[{"role":"system","content":"S"},`+messages+`]}`), "messages"); got != `[`+want+`]` {
			t.Errorf("%s %s\n got %s\nwant %s", model, messages, got, want)
		}
	}
	const (
		u, a, note = `{"role":"user","content":"q"}`, `{"role":"assistant","content":"a"}`, `{"role":"system","content":"N"}`
		marked     = `{"type":"text","text":"[Instruction from the system, not from the user]\nN"}`
		call       = `{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]}`
		result     = `{"role":"tool","tool_call_id":"t","content":"r"}`
		use        = `{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]}`
		results    = `{"type":"tool_result","tool_use_id":"t","content":"r"}`
	)
	f("claude-sonnet-5", u+`,`+note, u+`,`+note)
	f("claude-sonnet-5", u+`,`+note+`,`+a+`,`+u, u+`,`+note+`,`+a+`,`+u)
	f("claude-sonnet-5", u+`,`+note+`,`+note, u+`,{"role":"system","content":[{"type":"text","text":"N"},{"type":"text","text":"N"}]}`)
	f("claude-sonnet-5", u+`,`+call+`,`+note+`,`+result, u+`,`+use+`,{"role":"user","content":[`+results+`]},`+note)
	f("claude-sonnet-5", u+`,`+a+`,`+note+`,`+u, u+`,`+a+`,{"role":"user","content":[`+marked+`,{"type":"text","text":"q"}]}`)
	f("claude-sonnet-5", u+`,`+a+`,`+note, u+`,`+a+`,{"role":"user","content":"[Instruction from the system, not from the user]\nN"}`)
	f("claude-sonnet-4-5", u+`,`+note, `{"role":"user","content":[{"type":"text","text":"q"},`+marked+`]}`)
	f("claude-sonnet-4-5", u+`,`+call+`,`+result+`,`+note, u+`,`+use+`,{"role":"user","content":[`+results+`,`+marked+`]}`)
}

// Models whose thoughts are bound to the conversation before them drop those
// that do not fit any more.
func TestBoundThoughts(t *testing.T) {
	const history = `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","format":"anthropic-claude-v1"}]},{"role":"user","content":"q"}]`
	call := built(t, "claude-fable-5-2", history+`}`)
	if got := member(call, "thinking"); got != `{"block_binding":{"prefix_mismatch_behavior":"drop_block"}}` {
		t.Error(got)
	}
	if !slices.Contains(call.Headers, codec.Header{Name: "anthropic-beta", Value: "thinking-binding-controls-2026-08-01"}) {
		t.Errorf("%v", call.Headers)
	}
	if got := member(built(t, "claude-fable-5-2", history+`,"reasoning":{"effort":"low"}}`), "thinking"); got != `{"type":"adaptive","display":"summarized","block_binding":{"prefix_mismatch_behavior":"drop_block"}}` {
		t.Error(got)
	}
	if got := member(built(t, "claude-fable-5-2", hello+`}`), "thinking"); got != "" {
		t.Error(got)
	}
	if got := member(built(t, "claude-sonnet-5", history+`}`), "thinking"); got != "" {
		t.Error(got)
	}
}

func TestPrefill(t *testing.T) {
	const client = `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"so far \n"}]`
	if got := member(built(t, "claude-sonnet-4-5", client+`}`), "messages"); !strings.HasSuffix(got, `{"role":"assistant","content":"so far"}]`) {
		t.Errorf("prefill: %s", got)
	}
	for name, call := range map[string]*codec.Call{
		"newer model": built(t, "claude-opus-4-6", client+`}`),
		"thinking":    built(t, "claude-sonnet-4-5", client+`,"reasoning":{"effort":"low"},"max_tokens":20000}`),
	} {
		if got := member(call, "messages"); !strings.Contains(got, `"so far \n"`) || !strings.Contains(got, `{"role":"user","content":"(Continue your last message`) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestParts(t *testing.T) {
	f := func(part, want string) {
		t.Helper()
		call := built(t, "claude-sonnet-4-5", `{"messages":[{"role":"user","content":[`+part+`]}]}`)
		if got := member(call, "messages"); got != `[{"role":"user","content":[`+want+`]}]` {
			t.Errorf("%s\ngot  %s\nwant %s", part, got, want)
		}
	}
	f(`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}`, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}}`)
	f(`{"type":"image_url","image_url":{"url":"data:image\/jpg;base64,iV\/O"},"cache_control":{"type":"ephemeral"}}`,
		`{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"iV/O"},"cache_control":{"type":"ephemeral"}}`)
	f(`{"type":"image_url","image_url":"https://example.com/a.png"}`, `{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}`)
	f(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}`,
		`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"}`)
	f(`{"type":"file","file":{"file_data":"https://example.com/a.pdf"}}`, `{"type":"document","source":{"type":"url","url":"https://example.com/a.pdf"}}`)
	f(`{"type":"file","file":{"filename":"document.txt","file_data":"data:text/plain;charset=utf-8;base64,aGkKdGhlcmU="},"citations":{"enabled":true}}`,
		`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi\nthere"},"citations":{"enabled":true}}`)
	f(`{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"c"}],"cache_control":{"type":"ephemeral"}}`,
		`{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"c"}],"cache_control":{"type":"ephemeral"}}`)
}

func TestPartsThatAreNotTaken(t *testing.T) {
	textOnly := settings("claude-sonnet-4-5")
	textOnly.Inputs = 0
	f := func(s codec.Settings, part, want string) {
		t.Helper()
		if got := refusal(t, s, `{"messages":[{"role":"user","content":[`+part+`]}]}`); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q in it", part, got, want)
		}
	}
	all := settings("claude-sonnet-4-5")
	f(all, `{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}`, "does not take audio input")
	f(all, `{"type":"video_url","video_url":{"url":"https://example.com/v"}}`, "does not take video input")
	f(all, `{"type":"image_url","image_url":{"url":"data:image/bmp;base64,AA"}}`, `"image/bmp" are not taken; allowed are image/jpeg`)
	f(all, `{"type":"image_url","image_url":{"url":"http://example.com/a.png"}}`, "must be an https: or a data: URL")
	f(all, `{"type":"image_url","image_url":{"url":"data:image/png,xx"}}`, "must look like data:<type>;base64,<data>")
	f(all, `{"type":"image_url","image_url":{"url":"data:image/png;base64,\"}"}}`, "not valid base64")
	f(all, `{"type":"file","file":{"file_id":"f"}}`, "file_id")
	f(all, `{"type":"file","file":{"file_data":"data:application/zip;base64,AA"}}`, `"application/zip" are not taken`)
	f(all, `{"type":"file","file":{"file_data":"data:text/plain;base64,A"}}`, "not valid base64")
	f(all, `{"type":"hologram","hologram":{}}`, `content parts of type "hologram"`)
	f(textOnly, `{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`, "does not take image input")
	f(textOnly, `{"type":"file","file":{"file_data":"https://example.com/a.pdf"}}`, "does not take file input")
	if got := refusal(t, all, `{"messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},{"role":"user","content":"x"}]}`); !strings.Contains(got, "text only") {
		t.Error(got)
	}
	if got := refusal(t, all, `{"prompt":["a","b"]}`); !strings.Contains(got, "prompt: must be a string") {
		t.Error(got)
	}
}

func TestPrompt(t *testing.T) {
	if got := member(built(t, "claude-sonnet-4-5", `{"prompt":"once"}`), "messages"); got != `[{"role":"user","content":"once"}]` {
		t.Error(got)
	}
}

func TestCacheBreakpoints(t *testing.T) {
	const mark = `"cache_control":{"type":"ephemeral"}`
	part := func(text string) string { return `{"type":"text","text":"` + text + `",` + mark + `}` }
	client := `{"cache_control":{"type":"ephemeral"},"tools":[{"type":"function","function":{"name":"f"},` + mark + `}],"messages":[{"role":"system","content":[` + part("s") + `]},
		{"role":"user","content":[` + part("u") + `]},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"a","content":"r",` + mark + `},{"role":"user","content":"v",` + mark + `}]}`
	call := built(t, "claude-sonnet-4-5", client)
	if n := strings.Count(string(call.Body), mark); n != 4 {
		t.Errorf("%d marks, want 4", n)
	}
	for path, want := range map[string]int{"tools": 0, "system": 0, "messages": 3} {
		if n := strings.Count(member(call, path), mark); n != want {
			t.Errorf("%s: %d marks, want %d", path, n, want)
		}
	}
	if member(call, "cache_control") != `{"type":"ephemeral"}` {
		t.Error("the automatic mark is lost")
	}
	if got := member(call, "messages"); !strings.Contains(got, `"content":"r",`+mark) {
		t.Errorf("the result's mark is not on the result: %s", got)
	}
}

func TestRest(t *testing.T) {
	const q = `{"messages":[{"role":"user","content":"q"}]`
	call := built(t, "claude-sonnet-4-5", q+`,"user":"u1","service_tier":"default","metadata":{"a":"b"},"stream":true,"safe_prompt":true,"container":"c"}`)
	for path, want := range map[string]string{
		"metadata": `{"user_id":"u1"}`, "service_tier": `"standard_only"`, "stream": "true", "safe_prompt": "", "container": `"c"`, "model": `"claude-sonnet-4-5"`,
	} {
		if got := member(call, path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	call = built(t, "claude-sonnet-4-5", q+`,"n":2,"seed":1,"logprobs":true,"top_logprobs":2,"frequency_penalty":1,"presence_penalty":1,"logit_bias":{},"service_tier":"flex"}`)
	want := chat.SetOf(chat.N, chat.Seed, chat.Logprobs, chat.TopLogprobs, chat.FrequencyPenalty, chat.PresencePenalty, chat.LogitBias, chat.ServiceTier)
	if call.Dropped != want {
		t.Errorf("dropped %v", call.Dropped.Names())
	}
}

func TestExtraBody(t *testing.T) {
	s := settings("claude-sonnet-4-5")
	s.ExtraBody = []byte(` {"max_tokens":7,"inference_geo":"eu","temperature":0.1} `)
	call := adaptertest.Encode(t, newAdapter(t, s), []byte(`{"messages":[{"role":"user","content":"q"}],"temperature":0.5}`))
	if got := string(call.Body); strings.Count(got, "max_tokens") != 1 || member(call, "max_tokens") != "7" || member(call, "inference_geo") != `"eu"` || strings.Count(got, "temperature") != 1 {
		t.Error(got)
	}
	s.ExtraBody = []byte(`[1]`)
	if _, err := newFails(s); err == nil || !strings.Contains(err.Error(), "extra_body: must be an object") {
		t.Errorf("%v", err)
	}
	s.ExtraBody = []byte(`{`)
	if _, err := newFails(s); err == nil || !strings.Contains(err.Error(), "extra_body") {
		t.Errorf("%v", err)
	}
}

// A result that the model cannot see is told in words; the user's is refused.
func TestMediaInResults(t *testing.T) {
	const messages = `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
		`{"role":"tool","tool_call_id":"a","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}]}`
	s := settings("claude-sonnet-5")
	s.Inputs = 0
	call := adaptertest.Encode(t, newAdapter(t, s), []byte(messages))
	if got := member(call, "messages"); !strings.HasSuffix(got, `{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"[The tool returned image content, which this model cannot take]"}]}]}]`) {
		t.Error(got)
	}
	s.Inputs = chat.HasImage
	if got := member(adaptertest.Encode(t, newAdapter(t, s), []byte(messages)), "messages"); !strings.Contains(got, `"type":"image"`) {
		t.Error(got)
	}
}
