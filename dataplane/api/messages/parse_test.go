package messages_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/openai"
	"github.com/hybridinference/gateway/adapters/vertex"
	"github.com/hybridinference/gateway/dataplane/api/messages"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func settings(model string) codec.Settings {
	return codec.Settings{
		Kind: "anthropic", BaseURL: "https://api.anthropic.com", Model: model, Tools: true, Structured: true, MaxOutput: 64000,
		Inputs: chat.HasImage | chat.HasFile, Params: chat.SetOf(chat.TopK, chat.Reasoning, chat.Verbosity),
	}
}

func newAdapter(t testing.TB, model string) *anthropic.Adapter {
	t.Helper()
	a, err := anthropic.New(settings(model))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// parse reads a request, whose canonical form is the result's Body.
func parse(body []byte) (*chat.Request, error) {
	tr := messages.Language().New()
	if err := tr.Parse(body, nil); err != nil {
		return tr.Request(), err
	}
	// What this API alone can say is refused when another has to say it.
	return tr.Request(), tr.Encode(takesAll{}, &codec.Call{})
}

// takesAll is an adapter that takes every request of the canonical form.
type takesAll struct{ codec.Adapter }

func (takesAll) Encode(*chat.Request, *codec.Call) error { return nil }
func (takesAll) Decoder() codec.Decoder                  { return nil }

// there encodes a Messages request for a provider, by way of the canonical form.
func there(t *testing.T, a codec.Adapter, body []byte) []byte {
	t.Helper()
	r, err := parse(body)
	if err != nil {
		t.Fatal(err)
	}
	var call codec.Call
	if err := a.Encode(r, &call); err != nil {
		t.Fatal(err)
	}
	return call.Body
}

// plain brings a request into one of the forms that mean the same: content as
// blocks, and nothing that says what is so anyway.
func plain(t *testing.T, body []byte) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	if doc["stream"] == false {
		delete(doc, "stream")
	}
	asBlocks(doc, "system")
	for _, msg := range objects(doc["messages"]) {
		asBlocks(msg, "content")
		for _, block := range objects(msg["content"]) {
			asBlocks(block, "content")
		}
	}
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func objects(list any) (out []map[string]any) {
	items, _ := list.([]any)
	for _, item := range items {
		if obj, ok := item.(map[string]any); ok {
			out = append(out, obj)
		}
	}
	return out
}

func asBlocks(obj map[string]any, name string) {
	if text, ok := obj[name].(string); ok {
		obj[name] = []any{map[string]any{"type": "text", "text": text}}
	}
}

func same(t *testing.T, want, got []byte) {
	t.Helper()
	diffs, err := adaptertest.Compare(plain(t, want), plain(t, got))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diffs {
		t.Error(d)
	}
}

// everything is a request with each thing that both forms can say.
const everything = `{"model":"claude-opus-4-6","max_tokens":9000,"stream":true,"temperature":0.4,"top_k":7,"stop_sequences":["A","B"],"metadata":{"user_id":"u"},
	"service_tier":"standard_only","system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"t"}],
	"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"x":{"type":"integer"}},"additionalProperties":false},"strict":true,"cache_control":{"type":"ephemeral"}},
		{"type":"web_search_20250305","name":"web_search","max_uses":2}],
	"tool_choice":{"type":"auto","disable_parallel_tool_use":true},
	"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{},"additionalProperties":false}}},
	"messages":[
		{"role":"user","content":[{"type":"text","text":"look"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}},
			{"type":"image","source":{"type":"url","url":"https://e.x/a.png"},"cache_control":{"type":"ephemeral"}},
			{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"}},
			{"type":"document","source":{"type":"url","url":"https://e.x/a.pdf"},"title":"T","context":"c","citations":{"enabled":true}},
			{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a \"b\"\nä"}},
			{"type":"document","source":{"type":"content","content":[{"type":"text","text":"x"}]}},
			{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"c"}]}]},
		{"role":"assistant","content":[{"type":"text","text":"I look","citations":[{"type":"char_location","cited_text":"a","document_index":0}]},
			{"type":"server_tool_use","id":"srv","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"srv","content":[]},
			{"type":"tool_use","id":"t1","name":"f","input":{"x":1}},{"type":"tool_use","id":"t2","name":"f","input":{},"cache_control":{"type":"ephemeral"}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"r"},{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"R0lG"}}]},
			{"type":"tool_result","tool_use_id":"t2","content":"broken","is_error":true},{"type":"text","text":"and now?"}]},
		{"role":"assistant","content":"hm"},{"role":"user","content":"go on"}]}`

func TestRoundTrip(t *testing.T) {
	same(t, []byte(everything), there(t, newAdapter(t, "claude-opus-4-6"), []byte(everything)))
}

func TestBillingHeader(t *testing.T) {
	f := func(system, want string) {
		t.Helper()
		r, err := parse([]byte(`{"max_tokens":9,"system":` + system + `,"messages":[{"role":"user","content":"x"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if want += `{"role":"user","content":"x"}`; string(r.Messages) != `[`+want+`]` {
			t.Errorf("%s became %s, want %s", system, r.Messages, want)
		}
	}
	const billing = `{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1; cch=abc"}`
	f(`[`+billing+`]`, ``)
	f(`[`+billing+`,{"type":"text","text":"You are"}]`, `{"role":"system","content":"You are"},`)
	f(`[{"type":"text","text":"You are"}]`, `{"role":"system","content":"You are"},`)
	f(`"You are"`, `{"role":"system","content":"You are"},`)
}

// The effort asks for reasoning, unless reasoning is switched off.
// TestOmitted names what of a request no other server gets.
func TestOmitted(t *testing.T) {
	a, err := openai.New(openai.VLLM(), codec.Settings{BaseURL: "http://upstream.test", Model: "m", Tools: true})
	if err != nil {
		t.Fatal(err)
	}
	tr := messages.Language().New()
	if err := tr.Parse([]byte(`{"model":"m","container":"c","tools":[{"type":"custom","name":"f","input_schema":{"type":"object"},"defer_loading":true}],
		"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"x","input":{}},{"type":"compaction","content":"S"}]},{"role":"user","content":[{"type":"container_upload","file_id":"f"},{"type":"text","text":"q"}]}]}`), nil); err != nil {
		t.Fatal(err)
	}
	var call codec.Call
	if err := tr.Encode(a, &call); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(call.Omitted, " "); got != "container messages.container_upload messages.server_tool_use tools.defer_loading" {
		t.Errorf("omitted %q of %s", got, call.Body)
	}
}

func TestEffort(t *testing.T) {
	f := func(members, effort string, off bool) {
		t.Helper()
		r, err := parse([]byte(`{"max_tokens":9,"messages":[{"role":"user","content":"x"}],` + members + `}`))
		if err != nil || r.Reasoning.Effort != effort || r.Reasoning.Off != off {
			t.Errorf("%s: %v %+v", members, err, r)
		}
	}
	f(`"output_config":{"effort":"xhigh"}`, "xhigh", false)
	f(`"output_config":{"effort":"xhigh"},"thinking":{"type":"adaptive"}`, "xhigh", false)
	f(`"output_config":{"effort":"max"},"thinking":{"type":"enabled","budget_tokens":2000}`, "max", false)
	f(`"output_config":{"effort":"max"},"thinking":{"type":"disabled"}`, "", true)
}

func TestRoundTripOfThinking(t *testing.T) {
	f := func(model, thinking string) {
		t.Helper()
		body := `{"model":"` + model + `","max_tokens":9000,` + thinking + `,"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"messages":[{"role":"user","content":"q"},
			{"role":"assistant","content":[{"type":"thinking","thinking":"a\nb","signature":"S"},{"type":"redacted_thinking","data":"D"},{"type":"text","text":"x"},{"type":"tool_use","id":"t","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}]}`
		same(t, []byte(body), there(t, newAdapter(t, model), []byte(body)))
	}
	f("claude-sonnet-4-5", `"thinking":{"type":"enabled","budget_tokens":2000}`)
	f("claude-opus-4-6", `"thinking":{"type":"adaptive"},"output_config":{"effort":"max"}`)
	f("claude-opus-5", `"thinking":{"type":"adaptive","display":"summarized"}`)
	f("claude-opus-5", `"stream":true`)
}

func TestRoundTripOfRecordings(t *testing.T) {
	root := os.Getenv("GATEWAY_FIXTURES")
	if root == "" {
		t.Log("GATEWAY_FIXTURES is not set: no recordings")
	}
	n := 0
	for _, provider := range []string{"anthropic", "vertex-claude"} {
		files, err := filepath.Glob(filepath.Join(root, provider, "*", "request.json"))
		if root == "" || err != nil {
			break
		}
		for _, file := range files {
			name := filepath.Base(filepath.Dir(file))
			if name == "error-400-tool-order" {
				continue // the API refused it for its order, which we put right
			}
			t.Run(provider+"/"+name, func(t *testing.T) { recording(t, provider, file) })
			n++
		}
	}
	if root != "" && n < 25 {
		t.Errorf("%d recorded requests, want 25 or more", n)
	}
}

func recording(t *testing.T, provider, file string) {
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	model := rawjson.Text(chat.Member(body, "model"))
	if provider == "anthropic" {
		same(t, body, there(t, newAdapter(t, model), body))
		return
	}
	s := settings("claude-3-7-sonnet@20250219")
	s.BaseURL = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"
	a, err := vertex.New(s)
	if err != nil {
		t.Fatal(err)
	}
	same(t, body, there(t, a, body))
}

func TestCanonical(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := parse([]byte(in))
		if err != nil || string(got.Body) != want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", in, got.Body, err, want)
		}
	}
	const q = `"messages":[{"role":"user","content":"q"}]`
	f(`{`+q+`}`, `{`+q+`}`)
	f(`{"model":"m","max_tokens":5,`+q+`,"unknown":1,"context_management":{},"mcp_servers":[]}`, `{"model":"m","max_tokens":5,`+q+`}`)
	f(`{"system":"s",`+q+`}`, `{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]}`)
	f(`{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":"q"}]}]}`,
		`{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}]}`)
	f(`{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]}`, `{"messages":[{"role":"tool","tool_call_id":"t","content":""}]}`)
	f(`{"messages":[{"role":"user","content":[]}]}`, `{"messages":[{"role":"user","content":""}]}`)
	f(`{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":"\n"}}]}]}`,
		`{"messages":[{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"t","function":{"name":"f","arguments":"{\"a\":\"\\n\"}"}}]}]}`)
	f(`{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"a"},{"type":"text","text":"b"}]}]}`,
		`{"messages":[{"role":"assistant","content":"b","reasoning_details":[{"type":"reasoning.text","text":"a","format":"unknown","index":0}]}]}`)
	f(`{`+q+`,"fallbacks":[{"model":"a"},{"model":"b"}],"metadata":{"user_id":null},"thinking":{"type":"disabled"}}`, `{"thinking":{"type":"disabled"},"models":["a","b"],`+q+`}`)
	f(`{`+q+`,"user":"u","metadata":{"user_id":"v"},"service_tier":"auto","tool_choice":{"type":"tool","name":"f"}}`,
		`{`+q+`,"tool_choice":{"type":"function","function":{"name":"f"}},"user":"u","service_tier":"auto"}`)
	f(`{`+q+`,"tools":[{"type":"custom","name":"f"}],"tool_choice":{"type":"any"}}`, `{`+q+`,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required"}`)
}

func TestParseRefuses(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		_, err := parse([]byte(in))
		if fault.KindOf(err) != fault.InvalidRequest || !strings.Contains(fault.From(err).Message, want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
	const q = `"messages":[{"role":"user","content":"q"}]`
	block := func(b string) string { return `{"messages":[{"role":"user","content":[` + b + `]}]}` }
	f(``, "must be a JSON object")
	f(`[]`, "must be a JSON object")
	f(`{`+q, "not valid JSON")
	f(`{"model":"m"}`, "messages: required")
	f(`{"messages":null}`, "messages: required")
	f(`{"messages":{}}`, "messages: must be an array")
	f(`{"messages":[]}`, "messages: must have at least one message")
	f(`{"messages":["x"]}`, "messages[0]: must be an object")
	f(`{"messages":[{"role":"tool","content":"x"}]}`, "messages[0].role: must be user, assistant or system")
	f(`{"messages":[{"role":"user"}]}`, "messages[0].content: must be a string or an array of content blocks")
	f(`{"messages":[{"role":"assistant","content":null}]}`, "messages[0].content: must be a string")
	f(block(`7`), "messages[0].content[0]: must be an object with a type")
	f(block(`{}`), "messages[0].content[0].type: required")
	f(block(`{"type":"text"}`), "messages[0].content[0].text: required")
	f(block(`{"type":"image"}`), "messages[0].content[0].source: required")
	f(block(`{"type":"image","source":{"type":"base64","data":"AA"}}`), "needs media_type and data")
	f(block(`{"type":"tool_result"}`), "messages[0].content[0].tool_use_id: required")
	f(block(`{"type":"tool_result","tool_use_id":"t","content":[{"type":"text"}]}`), "messages[0].content[0].content[0].text: required")
	f(`{"messages":[{"role":"assistant","content":[{"type":"tool_use","name":"f","input":{}}]}]}`, "content[0].id: required")
	f(`{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","input":{}}]}]}`, "content[0].name: required")
	f(`{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":"x"}]}]}`, "content[0].input: required, an object")
	f(`{"messages":[{"role":"assistant","content":[{"type":"thinking"}]}]}`, "content[0].thinking: required")
	f(`{"messages":[{"role":"assistant","content":[{"type":"redacted_thinking"}]}]}`, "content[0].data: required")
	f(`{"system":7,`+q+`}`, "system: must be a string or an array")
	f(`{"model":"a","mod\u0065l":"b",`+q+`}`, "model: duplicate key")
	f(`{"max_tokens":0,`+q+`}`, "max_tokens: must be at least 1")
	f(`{"stream":"yes",`+q+`}`, "stream: must be true or false")
	f(`{"tools":{},`+q+`}`, "tools: must be an array")
	f(`{"tools":[1],`+q+`}`, "tools[0]: must be an object")
	f(`{"tools":[{}],`+q+`}`, "tools[0].name: required")
	f(`{"tools":[{"name":"f","input_schema":[]}],`+q+`}`, "tools[0].input_schema: must be a JSON schema object")
	f(`{"tool_choice":"auto",`+q+`}`, `tool_choice: must be {"type":"auto"}`)
	f(`{"tool_choice":{"type":"tool"},`+q+`}`, "tool_choice.name: required")
	f(`{"stop_sequences":"x",`+q+`}`, "stop_sequences: must be an array of at most 4 strings")
	f(`{"stop_sequences":["a","b","c","d","e"],`+q+`}`, "stop_sequences: must be an array of at most 4 strings")
	f(`{"stop_sequences":[1],`+q+`}`, "stop_sequences[0]: must be a string")
	f(`{"output_config":{"format":{"type":"text"}},`+q+`}`, "output_config.format: must be")
	f(`{"fallbacks":[{"model":"a","x":1}],`+q+`}`, "fallbacks: must be")
	f(`{"fallbacks":[{"model":"a"},{"model":"a"},{"model":"a"},{"model":"a"}],`+q+`}`, "fallbacks: must be")
	f(`{"fallbacks":[{"model":"a"}],"models":["b"],`+q+`}`, "not taken together with models")
	f(`{"thinking":{"type":"later"},`+q+`}`, "thinking.type: must be")
}

func TestStraightThrough(t *testing.T) {
	a := newAdapter(t, "claude-sonnet-4-5")
	f := func(in, want string) {
		t.Helper()
		var call codec.Call
		if err := a.EncodeMessages([]byte(in), &call); err != nil || string(call.Body) != want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", in, call.Body, err, want)
		}
		if call.URL != "https://api.anthropic.com/v1/messages" || len(call.Headers) != 1 {
			t.Errorf("%s %v", call.URL, call.Headers)
		}
	}
	f(`{"model":"x","max_tokens":5,"messages":[ ],"context_management":{"edits":[]},"provider":{"only":["a"]},"user":"u"}`,
		`{"model":"claude-sonnet-4-5","max_tokens":5,"messages":[ ],"context_management":{"edits":[]}}`)
	f(`{"messages":[]}`, `{"model":"claude-sonnet-4-5","messages":[],"max_tokens":64000}`)
	if err := a.EncodeMessages([]byte(`{`), &codec.Call{}); fault.KindOf(err) != fault.InvalidRequest {
		t.Errorf("%v", err)
	}
	v, err := vertex.New(codec.Settings{Kind: "claude", BaseURL: "http://proxy", Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	var call codec.Call
	if err := v.EncodeMessages([]byte(`{"model":"x","stream":true,"max_tokens":5}`), &call); err != nil || call.URL != "http://proxy/v1:streamRawPredict" ||
		string(call.Body) != `{"anthropic_version":"vertex-2023-10-16","stream":true,"max_tokens":5}` {
		t.Errorf("%s %s %v", call.URL, call.Body, err)
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte(`{"messages":[{"role":"assistant","content":[{"type":"redacted_thinking","data":"gw1.e30"}]}],"fallbacks":[{"model":"a"}],"tool_choice":{"type":"any"}}`))
	a, err := anthropic.New(settings("claude-opus-4-6"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parse(body)
		if r.Body == nil {
			return
		}
		if err := rawjson.Valid(r.Body); err != nil {
			t.Fatalf("%v\n%s", err, r.Body)
		}
		var call codec.Call
		if err == nil && a.Encode(r, &call) == nil && rawjson.Valid(call.Body) != nil {
			t.Fatalf("%s became %s", r.Body, call.Body)
		}
	})
}
