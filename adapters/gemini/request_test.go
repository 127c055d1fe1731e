package gemini_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/gemini"
	"github.com/hybridinference/gateway/shared/fault"
)

// settings are an endpoint whose model can do everything.
func TestVertex(t *testing.T) {
	s := codec.Settings{Kind: "gemini", BaseURL: "https://europe-north1-aiplatform.googleapis.com/v1/projects/P/locations/europe-north1", Model: "gemini-2.5-flash", Tools: true}
	a, err := gemini.New(s)
	if err != nil {
		t.Fatal(err)
	}
	call := adaptertest.Encode(t, a, []byte(`{"messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_1","content":"r"}],"stream":true}`))
	if want := s.BaseURL + "/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse"; call.URL != want {
		t.Errorf("%s, want %s", call.URL, want)
	}
	if bytes.Contains(call.Body, []byte("call_1")) || !bytes.Contains(call.Body, []byte(`{"functionResponse":{"name":"f",`)) {
		t.Errorf("%s", call.Body)
	}
	for secret, want := range map[string]codec.Header{"ya29.t": {Name: "Authorization", Value: "Bearer ya29.t"}, `{"private_key":"k"}`: {}} {
		if got := a.Authorize(secret); got != want {
			t.Errorf("%s: %v, want %v", secret, got, want)
		}
	}
}

func settings(model string) codec.Settings {
	return codec.Settings{
		Kind: "gemini", BaseURL: "https://example.test/v1beta", Model: model, MaxOutput: 65536, Tools: true, Structured: true,
		Inputs: chat.HasImage | chat.HasAudio | chat.HasVideo | chat.HasFile, Params: ^chat.ParamSet(0),
	}
}

func adapter(t testing.TB, s codec.Settings) *gemini.Adapter {
	t.Helper()
	a, err := gemini.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func parse(t testing.TB, body string) *chat.Request {
	t.Helper()
	var r chat.Request
	if err := r.Parse([]byte(body)); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return &r
}

func encode(t testing.TB, s codec.Settings, body string) (*codec.Call, error) {
	t.Helper()
	var call codec.Call
	err := adapter(t, s).Encode(parse(t, body), &call)
	return &call, err
}

// value decodes JSON to compare it by meaning.
func value(t testing.TB, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return v
}

// sends checks that the request, given without its braces, goes out as want.
func sends(t *testing.T, s codec.Settings, request, want string) *codec.Call {
	t.Helper()
	call, err := encode(t, s, "{"+request+"}")
	if err != nil {
		t.Errorf("%s: %v", request, err)
		return call
	}
	if !reflect.DeepEqual(value(t, call.Body), value(t, []byte("{"+want+"}"))) {
		t.Errorf("%s\n got %s\nwant {%s}", request, call.Body, want)
	}
	return call
}

const (
	hi     = `"messages":[{"role":"user","content":"hi"}]`
	hiSent = `"contents":[{"role":"user","parts":[{"text":"hi"}]}]`
)

func TestURLAndKey(t *testing.T) {
	a := adapter(t, codec.Settings{BaseURL: "https://example.test/v1beta/", Model: "models/gemini-2.5-pro"})
	var call codec.Call
	if err := a.Encode(parse(t, `{`+hi+`}`), &call); err != nil || call.URL != "https://example.test/v1beta/models/gemini-2.5-pro:generateContent" {
		t.Errorf("whole: %s, %v", call.URL, err)
	}
	call.Reset()
	if err := a.Encode(parse(t, `{"stream":true,`+hi+`}`), &call); err != nil || call.URL != "https://example.test/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse" {
		t.Errorf("stream: %s, %v", call.URL, err)
	}
	if h := a.Authorize(" secret\n"); h.Name != "x-goog-api-key" || h.Value != "secret" {
		t.Errorf("header %+v", h)
	}
	for _, model := range []string{"", "models/", "a?b", "a b"} {
		if _, err := gemini.New(codec.Settings{Model: model}); err == nil {
			t.Errorf("model %q is accepted", model)
		}
	}
}

func TestTurns(t *testing.T) {
	f := func(messages, want string) {
		t.Helper()
		sends(t, settings("gemini-2.5-flash"), `"messages":[`+messages+`]`, want)
	}
	f(`{"role":"user","content":"hi"}`, hiSent)
	f(`{"role":"system","content":"a"},{"role":"user","content":"hi"},{"role":"developer","content":[{"type":"text","text":"b"},{"type":"text","text":""}]},{"role":"system","content":""}`,
		`"contents":[{"role":"user","parts":[{"text":"hi"},{"text":"[Instruction from the system, not from the user]\nb"}]}],"systemInstruction":{"parts":[{"text":"a"}]}`)
	f(`{"role":"system","content":"a"},{"role":"developer","content":"b"},{"role":"user","content":"hi"}`, hiSent+`,"systemInstruction":{"parts":[{"text":"a"},{"text":"b"}]}`)
	f(`{"role":"system","content":"a"},{"role":"user","content":"hi"},{"role":"assistant","content":"d"},{"role":"system","content":"n"}`,
		`"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"d"}]},{"role":"user","parts":[{"text":"[Instruction from the system, not from the user]\nn"}]}],"systemInstruction":{"parts":[{"text":"a"}]}`)
	f(`{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"g","arguments":"{}"}}]},{"role":"system","content":"n"},{"role":"tool","tool_call_id":"a","content":"5"}`,
		`"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"id":"a","name":"g","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"g","response":{"result":"5"}}}]},{"role":"user","parts":[{"text":"[Instruction from the system, not from the user]\nn"}]}]`)
	// blocks of Anthropic's own kinds
	f(`{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","title":"T","url":"https://e.org"}]},{"type":"text","text":"d"}]},{"role":"user","content":"f"}`,
		`"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"T: https://e.org"},{"text":"d"}]},{"role":"user","parts":[{"text":"f"}]}]`)
	f(`{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]},{"role":"assistant","content":"d"},{"role":"assistant","content":[{"type":"refusal","refusal":"e"}]},{"role":"user","content":"f"}`,
		`"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"},{"text":"c"}]},{"role":"model","parts":[{"text":"d"},{"text":"e"}]},{"role":"user","parts":[{"text":"f"}]}]`)
	// nothing to say still needs a turn
	f(`{"role":"system","content":"a"}`, `"contents":[{"role":"user","parts":[{"text":" "}]}],"systemInstruction":{"parts":[{"text":"a"}]}`)
	f(`{"role":"user","content":""},{"role":"assistant","content":""},{"role":"user","content":null}`, `"contents":[{"role":"user","parts":[{"text":" "},{"text":" "}]}]`)
	// a conversation begins with the user, and a prefill ends with the model
	f(`{"role":"assistant","content":"hello"},{"role":"user","content":"hi"}`,
		`"contents":[{"role":"user","parts":[{"text":" "}]},{"role":"model","parts":[{"text":"hello"}]},{"role":"user","parts":[{"text":"hi"}]}]`)
	f(`{"role":"user","content":"hi"},{"role":"assistant","content":"{"}`, `"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"{"}]}]`)
	sends(t, settings("gemini-3.5-flash"), `"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"{"}]`,
		`"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"{"}]},{"role":"user","parts":[{"text":"Continue."}]}]`)
	sends(t, settings("gemini-2.5-flash"), `"prompt":"hi"`, hiSent)
}

func TestMedia(t *testing.T) {
	f := func(model, part, want string) {
		t.Helper()
		sends(t, settings(model), `"messages":[{"role":"user","content":[`+part+`]}]`, `"contents":[{"role":"user","parts":[`+want+`]}]`)
	}
	const new, old = "gemini-2.5-flash", "gemini-2.0-flash"
	f(old, `{"type":"image_url","image_url":{"url":"data:image/png;base64,AA/+=="}}`, `{"inlineData":{"mimeType":"image/png","data":"AA/+=="}}`)
	f(old, `{"type":"image_url","image_url":{"url":"data:image\/jpg;base64,A\/"}}`, `{"inlineData":{"mimeType":"image/jpeg","data":"A/"}}`)
	f(old, `{"type":"image_url","image_url":"data:image/webp;charset=x;base64,AA"}`, `{"inlineData":{"mimeType":"image/webp","data":"AA"}}`)
	f(old, `{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}`, `{"inlineData":{"mimeType":"audio/wav","data":"AA"}}`)
	f(old, `{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA"}}`, `{"inlineData":{"mimeType":"application/pdf","data":"AA"}}`)
	f(old, `{"type":"video_url","video_url":{"url":"https://www.youtube.com/watch?v=1"}}`, `{"fileData":{"fileUri":"https://www.youtube.com/watch?v=1"}}`)
	f(old, `{"type":"file","file":{"file_data":"https://generativelanguage.googleapis.com/v1beta/files/x"}}`, `{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}}`)
	f(new, `{"type":"image_url","image_url":{"url":"https://example.test/a.PNG?b=c.gif#d"}}`, `{"fileData":{"fileUri":"https://example.test/a.PNG?b=c.gif#d","mimeType":"image/png"}}`)
	f(new, `{"type":"image_url","image_url":{"url":"https://example.test/image"}}`, `{"fileData":{"fileUri":"https://example.test/image","mimeType":"image/jpeg"}}`)
	f(new, `{"type":"file","file":{"filename":"t.csv","file_data":"https://example.test/1"}}`, `{"fileData":{"fileUri":"https://example.test/1","mimeType":"text/csv"}}`)
	f(new, `{"type":"video_url","video_url":{"url":"https://example.test/1"}},{"type":"text","text":"x"}`, `{"fileData":{"fileUri":"https://example.test/1","mimeType":"video/mp4"}},{"text":"x"}`)
}

func TestRefuses(t *testing.T) {
	f := func(model, request, want string) {
		t.Helper()
		_, err := encode(t, settings(model), "{"+request+"}")
		if fault.KindOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", request, err, want)
		}
	}
	part := func(p string) string {
		return `"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"x"},` + p + `]}]`
	}
	const new, old = "gemini-2.5-flash", "gemini-2.0-flash"
	f(old, part(`{"type":"image_url","image_url":{"url":"https://example.test/a.png"}}`), "messages[1].content[1]: this model takes images as data: URLs only")
	f(new, part(`{"type":"image_url","image_url":{"url":"http://example.test/a.png"}}`), "takes images as data: URLs only")
	f(new, part(`{"type":"image_url","image_url":{"url":"a.png"}}`), "must be a data: URL or an https URL")
	f(new, part(`{"type":"image_url","image_url":{"url":"data:image/png,AA"}}`), "must read data:<media type>;base64,<data>")
	f(new, part(`{"type":"file","file":{"file_id":"x"}}`), `a part of type "file" needs a URL`)
	f(new, part(`{"type":"input_audio","input_audio":{"data":"AA"}}`), "needs data and a format")
	f(new, part(`{"type":"hologram","hologram":{}}`), `a part of type "hologram" is not taken`)
	f(new, `"messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}]`, "messages[0].content[0]: this model takes text only in a system message")
	f(new, `"messages":[{"role":"user","content":"x"},{"role":"tool","tool_call_id":"c9","content":"y"}]`, `messages[1].tool_call_id: no earlier assistant message has a tool call with the id "c9"`)
	f(new, `"n":9,`+hi, "n: this model gives at most 8 choices, got 9")
	f(new, `"prompt":["a","b"]`, "prompt: this model takes one string only")

	s := settings(new)
	s.Inputs = chat.HasImage
	if _, err := encode(t, s, `{`+part(`{"type":"file","file":{"file_data":"data:application/pdf;base64,AA"}}`)+`}`); fault.KindOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), "does not take file input") {
		t.Errorf("got %v", err)
	}
}

func TestConfig(t *testing.T) {
	f := func(request, want string) {
		t.Helper()
		sends(t, settings("gemini-2.5-flash"), request+`,`+hi, hiSent+want)
	}
	f(`"temperature":0.2,"top_p":0.9,"top_k":40,"seed":7,"presence_penalty":0.1,"frequency_penalty":-0.1,"n":2`,
		`,"generationConfig":{"temperature":0.2,"topP":0.9,"topK":40,"seed":7,"presencePenalty":0.1,"frequencyPenalty":-0.1,"candidateCount":2}`)
	f(`"max_tokens":64`, `,"generationConfig":{"maxOutputTokens":64}`)
	f(`"max_tokens":64,"max_completion_tokens":100000`, `,"generationConfig":{"maxOutputTokens":65536}`)
	f(`"stop":"a"`, `,"generationConfig":{"stopSequences":["a"]}`)
	f(`"stop":["a","","b"]`, `,"generationConfig":{"stopSequences":["a","b"]}`)
	f(`"stop":[],"n":1,"top_k":0,"response_format":{"type":"text"}`, ``)
	f(`"seed":4294967297`, `,"generationConfig":{"seed":1}`)
	f(`"logprobs":true,"top_logprobs":3`, `,"generationConfig":{"responseLogprobs":true,"logprobs":3}`)
	f(`"response_format":{"type":"json_object"}`, `,"generationConfig":{"responseMimeType":"application/json"}`)
	f(`"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object","$schema":"d","properties":{"a":{"$ref":"#/$defs/b","description":"x"}}}}}`,
		`,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}}}}`)
	f(`"modalities":["text","image"],"image_config":{"aspect_ratio":"16:9","x":1}`, `,"generationConfig":{"responseModalities":["TEXT","IMAGE"],"imageConfig":{"aspectRatio":"16:9"}}`)
	f(`"stream":true,"user":"u","x_unknown":1,"provider":{"order":["a"]},"stream_options":{"include_usage":true}`, ``)
}

func TestDropped(t *testing.T) {
	f := func(s codec.Settings, request string, want ...chat.Param) {
		t.Helper()
		if call := sends(t, s, request+`,`+hi, hiSent); call.Dropped != chat.SetOf(want...) {
			t.Errorf("%s: dropped %b, want %v", request, call.Dropped, want)
		}
	}
	bare := codec.Settings{BaseURL: "https://example.test", Model: "gemini-2.5-flash"}
	f(bare, `"top_k":1,"seed":1,"presence_penalty":1,"frequency_penalty":1,"logprobs":true,"top_logprobs":1`,
		chat.TopK, chat.Seed, chat.PresencePenalty, chat.FrequencyPenalty, chat.Logprobs, chat.TopLogprobs)
	f(bare, `"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto","response_format":{"type":"json_object"},"reasoning":{"effort":"low"}`,
		chat.Tools, chat.ToolChoice, chat.ResponseFormat, chat.Reasoning)
	f(settings("gemini-2.5-flash"), `"min_p":0.1,"top_a":0.1,"repetition_penalty":1.1,"logit_bias":{"1":1},"parallel_tool_calls":false,"verbosity":"low","user":"u","metadata":{},"service_tier":"flex","prompt_cache_key":"k"`,
		chat.MinP, chat.TopA, chat.RepetitionPenalty, chat.LogitBias, chat.ParallelToolCalls, chat.Verbosity, chat.User, chat.Metadata, chat.ServiceTier, chat.PromptCacheKey)
	f(settings("gemini-2.5-flash"), `"top_logprobs":3,"tool_choice":"auto","response_format":{"type":"grammar","grammar":"x"}`, chat.TopLogprobs, chat.ToolChoice, chat.ResponseFormat)
	f(settings("gemini-2.5-flash"), `"tools":[{"type":"openrouter:web_search"}],"tool_choice":"auto"`, chat.Tools, chat.ToolChoice)
	f(settings("gemini-2.0-flash"), `"reasoning_effort":"high"`, chat.ReasoningEffort)
	f(bare, `"provider":{},"plugins":[],"session_id":"s","trace":{}`)
	f(bare, `"cache_control":{"type":"ephemeral"}`, chat.CacheControl)
	f(bare, `"tools":[{"type":"function","function":{"name":"f"},"cache_control":{"type":"ephemeral"}}]`, chat.Tools, chat.CacheControl)
}

func TestFormatBesideTools(t *testing.T) {
	const request = `"response_format":{"type":"json_object"},"tools":[{"type":"function","function":{"name":"f"}}],` + hi
	const tools = hiSent + `,"tools":[{"functionDeclarations":[{"name":"f"}]}]`
	const words = hiSent + `,"systemInstruction":{"parts":[{"text":"When you answer, answer with a JSON object and nothing else."}]},"tools":[{"functionDeclarations":[{"name":"f"}]}]`
	if call := sends(t, settings("gemini-2.5-pro"), request, words); !call.Dropped.Has(chat.ResponseFormat) {
		t.Error("2.5: response_format is not reported as dropped")
	}
	if call := sends(t, settings("gemini-3-pro-preview"), request, tools+`,"generationConfig":{"responseMimeType":"application/json"}`); call.Dropped != 0 {
		t.Errorf("3: dropped %b", call.Dropped)
	}
}

func TestThinking(t *testing.T) {
	f := func(model, request, want string) {
		t.Helper()
		sends(t, settings(model), request+`,`+hi, hiSent+`,"generationConfig":{`+want+`}`)
	}
	const flash, lite, pro, three = "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro", "gemini-3-flash-preview"
	f(flash, `"reasoning":{"effort":"high"},"max_tokens":1000`, `"maxOutputTokens":1000,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":800}`)
	f(flash, `"reasoning":{"effort":"medium"}`, `"thinkingConfig":{"includeThoughts":true,"thinkingBudget":12288}`)
	f(flash, `"reasoning_effort":"none"`, `"thinkingConfig":{"includeThoughts":false,"thinkingBudget":0}`)
	f(flash, `"reasoning":{"enabled":true}`, `"thinkingConfig":{"includeThoughts":true,"thinkingBudget":-1}`)
	f(flash, `"reasoning":{"max_tokens":99999}`, `"thinkingConfig":{"includeThoughts":true,"thinkingBudget":24576}`)
	f(flash, `"reasoning":{"effort":"low","exclude":true},"max_tokens":1000`, `"maxOutputTokens":1000,"thinkingConfig":{"includeThoughts":false,"thinkingBudget":200}`)
	f(flash, `"include_reasoning":false`, `"thinkingConfig":{"includeThoughts":false}`)
	f(lite, `"reasoning":{"effort":"low"},"max_tokens":1000`, `"maxOutputTokens":1000,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":512}`)
	f(pro, `"thinking":{"type":"disabled"}`, `"thinkingConfig":{"includeThoughts":false,"thinkingBudget":128}`)
	f(pro, `"thinking":{"type":"enabled","budget_tokens":64}`, `"thinkingConfig":{"includeThoughts":true,"thinkingBudget":128}`)
	f("gemini-flash-latest", `"reasoning":{"effort":"max"}`, `"thinkingConfig":{"includeThoughts":true,"thinkingBudget":23347}`)
	f(three, `"reasoning":{"effort":"xhigh"}`, `"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"high"}`)
	f(three, `"reasoning":{"effort":"minimal"}`, `"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"minimal"}`)
	f(three, `"reasoning":{"enabled":false}`, `"thinkingConfig":{"includeThoughts":false,"thinkingLevel":"minimal"}`)
	f(three, `"reasoning":{"max_tokens":500}`, `"thinkingConfig":{"includeThoughts":true,"thinkingBudget":500}`)
	f(three, `"reasoning":{"enabled":true}`, `"thinkingConfig":{"includeThoughts":true}`)
	f("gemini-3-pro-preview", `"reasoning":{"effort":"medium"}`, `"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"high"}`)
	f("gemini-3.1-pro-preview", `"reasoning":{"effort":"medium"}`, `"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"medium"}`)
	f("gemini-3.8-flash", `"reasoning":{"effort":"minimal"}`, `"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"low"}`)
	f("gemini-3.8-flash", `"reasoning":{"enabled":false}`, `"thinkingConfig":{"includeThoughts":false,"thinkingLevel":"low"}`)
	f("gemini-3.1-pro-preview", `"reasoning":{"effort":"minimal"}`, `"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"low"}`)
}

func TestExtraBody(t *testing.T) {
	s := settings("gemini-2.5-flash")
	s.ExtraBody = []byte(`{"safetySettings":[{"category":"C","threshold":"OFF"}],"generationConfig":{"temperature":1,"topK":5},"tools":[{"googleSearch":{}}]}`)
	sends(t, s, `"temperature":0,"max_tokens":9,"tools":[{"type":"function","function":{"name":"f"}}],`+hi,
		hiSent+`,"safetySettings":[{"category":"C","threshold":"OFF"}],"tools":[{"googleSearch":{}}],"generationConfig":{"maxOutputTokens":9,"temperature":1,"topK":5}`)
	for _, bad := range []string{`[]`, `{`, `{"a":}`} {
		s.ExtraBody = []byte(bad)
		if _, err := gemini.New(s); err == nil || !strings.Contains(err.Error(), "extra_body") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestEncodeReusesItsBuffers(t *testing.T) {
	a := adapter(t, settings("gemini-2.5-flash"))
	r := parse(t, `{`+hi+`,"max_tokens":5}`)
	var call codec.Call
	for range 2 {
		call.Reset()
		if err := a.Encode(r, &call); err != nil {
			t.Fatal(err)
		}
		if want := `{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":5}}`; string(call.Body) != want {
			t.Errorf("got %s\nwant %s", call.Body, want)
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":"data:image/png;base64,AA"},{"type":"input_audio","input_audio":{"data":"A","format":"wav"}}]}],"n":2,"stop":["a"]}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"1f","arguments":"{\"x\":1}"}}],"reasoning_details":[{"type":"reasoning.encrypted","data":"s","id":"a","format":"google-gemini-v1"}]},{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"{}"}]}]}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","":{"$ref":"#","":1},"properties":{"a":{"enum":["x"],"type":"string"}},"required":["a"]}}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[{"function":{"name":"f"}}]}}}`))
	f.Add([]byte(`{"messages":[{"role":"system","content":"x"}],"response_format":{"type":"json_schema","schema":{"$ref":"x","a":[{"$schema":"d"}]}},"reasoning":{"effort":"low"},"modalities":["text"],"image_config":{"image_size":"1K"}}`))
	a := adapter(f, settings("gemini-3-flash"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r chat.Request
		if r.Parse(body) != nil {
			return
		}
		var call codec.Call
		if err := a.Encode(&r, &call); err != nil {
			if fault.KindOf(err) != fault.InvalidRequest {
				t.Errorf("%s: %v", body, err)
			}
		} else if !json.Valid(call.Body) {
			t.Errorf("%s\nbecomes %s", body, call.Body)
		}
	})
}
