package anthropic_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

func newFails(s codec.Settings) (codec.Adapter, error) { return anthropic.New(s) }

const hello = `{"messages":[{"role":"user","content":"q"}]`

func TestSampling(t *testing.T) {
	f := func(model, params, temperature, topP, topK, dropped string) {
		t.Helper()
		call := built(t, model, hello+`,`+params+`}`)
		if a, b, c := member(call, "temperature"), member(call, "top_p"), member(call, "top_k"); a != temperature || b != topP || c != topK {
			t.Errorf("%s, %s: temperature %q, top_p %q, top_k %q", model, params, a, b, c)
		}
		if got := strings.Join(call.Dropped.Names(), ","); got != dropped {
			t.Errorf("%s, %s: dropped %q, want %q", model, params, got, dropped)
		}
	}
	const all = `"temperature":0.5,"top_p":0.9,"top_k":5`
	f("claude-3-5-haiku-20241022", all, "0.5", "0.9", "5", "")
	f("claude-sonnet-4-5", all, "0.5", "", "5", "top_p")
	f("claude-sonnet-4-5", `"top_p":0.9`, "", "0.9", "", "")
	f("claude-opus-4-7", all, "", "", "", "temperature,top_p,top_k")
	f("claude-opus-5", `"temperature":1`, "", "", "", "temperature")
	f("claude-sonnet-4-5", `"temperature":1.7`, "1", "", "", "")
	f("claude-sonnet-4-5", `"temperature":0`, "0", "", "", "")
	f("claude-sonnet-4-5", `"temperature":0.5,"top_p":0.99,"top_k":3,"reasoning":{"effort":"high"}`, "", "0.99", "", "temperature,top_k")
	f("claude-sonnet-4-5", `"top_p":0.5,"reasoning":{"effort":"high"}`, "", "", "", "top_p")

	s := settings("claude-sonnet-4-5")
	s.Params = 0
	call := adaptertest.Encode(t, newAdapter(t, s), []byte(hello+`,"top_k":5}`))
	if member(call, "top_k") != "" || !call.Dropped.Has(chat.TopK) {
		t.Error("top_k went to a model that is not listed with it")
	}
}

func TestStop(t *testing.T) {
	f := func(stop, want string) {
		t.Helper()
		if got := member(built(t, "claude-sonnet-4-5", hello+`,"stop":`+stop+`}`), "stop_sequences"); got != want {
			t.Errorf("%s: %s, want %s", stop, got, want)
		}
	}
	f(`"END"`, `["END"]`)
	f(`["a","\n","b"]`, `["a","b"]`)
	f(`"\n\n"`, ``)
	f(`[]`, ``)
}

func TestThinking(t *testing.T) {
	f := func(model, params, thinking, config, limit string) {
		t.Helper()
		call := built(t, model, hello+`,`+params+`}`)
		if a, b, c := member(call, "thinking"), member(call, "output_config"), member(call, "max_tokens"); a != thinking || b != config || c != limit {
			t.Errorf("%s, %s:\nthinking %s, output_config %s, max_tokens %s\nwant %s, %s, %s", model, params, a, b, c, thinking, config, limit)
		}
	}
	enabled := func(budget string) string { return `{"type":"enabled","budget_tokens":` + budget + `}` }
	// budgets: the share of max_tokens, at least 1024, below max_tokens
	f("claude-sonnet-4-5", `"reasoning":{"effort":"high"},"max_tokens":10000`, enabled("8000"), "", "10000")
	f("claude-sonnet-4-5", `"reasoning_effort":"low","max_tokens":10000`, enabled("2000"), "", "10000")
	f("claude-sonnet-4-5", `"reasoning":{"effort":"minimal"},"max_tokens":2000`, enabled("1024"), "", "2000")
	f("claude-sonnet-4-5", `"reasoning":{"enabled":true},"max_tokens":10000`, enabled("5000"), "", "10000")
	f("claude-sonnet-4-5", `"reasoning":{"effort":"max"},"max_tokens":200000`, enabled("128000"), "", "200000")
	f("claude-sonnet-4-5", `"reasoning":{"max_tokens":3000},"max_tokens":2000`, enabled("1999"), "", "2000")
	f("claude-sonnet-4-5", `"reasoning":{"max_tokens":100},"max_tokens":2000`, enabled("1024"), "", "2000")
	f("claude-sonnet-4-5", `"reasoning":{"max_tokens":9000}`, enabled("9000"), "", "13096")
	f("claude-sonnet-4-5", `"thinking":{"type":"enabled","budget_tokens":1500},"max_tokens":2000`, enabled("1500"), "", "2000")
	// too little room, no such ability, not wanted
	f("claude-sonnet-4-5", `"reasoning":{"effort":"high"},"max_tokens":1024`, "", "", "1024")
	f("claude-3-5-sonnet-20241022", `"reasoning":{"effort":"high"}`, "", "", "4096")
	f("claude-sonnet-4-5", `"reasoning":{"enabled":false}`, "", "", "4096")
	f("claude-opus-4-8", `"thinking":{"type":"disabled"}`, "", "", "4096")
	// 4.6 takes both forms
	f("claude-opus-4-6", `"reasoning":{"effort":"xhigh"}`, `{"type":"adaptive"}`, `{"effort":"max"}`, "4096")
	f("claude-opus-4-6", `"reasoning":{"max_tokens":2000}`, enabled("2000"), "", "4096")
	// later ones think adaptively and hide it unless asked
	f("claude-opus-4-7", `"reasoning":{"effort":"xhigh"}`, `{"type":"adaptive","display":"summarized"}`, `{"effort":"xhigh"}`, "4096")
	f("claude-opus-4.8", `"reasoning":{"effort":"minimal","exclude":true}`, `{"type":"adaptive","display":"omitted"}`, `{"effort":"low"}`, "4096")
	f("claude-sonnet-5", `"reasoning":{"max_tokens":5000},"max_tokens":10000`, `{"type":"adaptive","display":"summarized"}`, `{"effort":"medium"}`, "10000")
	f("claude-sonnet-5", `"reasoning":{"max_tokens":9900},"max_tokens":10000`, `{"type":"adaptive","display":"summarized"}`, `{"effort":"xhigh"}`, "10000")
	f("claude-sonnet-5", `"thinking":{"type":"adaptive"}`, `{"type":"adaptive"}`, "", "4096")
	f("claude-sonnet-5", `"thinking":{"type":"adaptive","display":"summarized"},"verbosity":"max"`, `{"type":"adaptive","display":"summarized"}`, `{"effort":"max"}`, "4096")
	f("claude-opus-5", `"reasoning":{"effort":"none"},"verbosity":"xhigh"`, `{"type":"disabled"}`, `{"effort":"high"}`, "4096")
	f("claude-opus-5-5", `"reasoning":{"effort":"none"}`, "", `{"effort":"low"}`, "4096")
	f("claude-sonnet-5-5", `"reasoning":{"effort":"none"}`, `{"type":"between_tools"}`, "", "4096")
	f("claude-fable-5", `"reasoning":{"enabled":false}`, "", `{"effort":"low"}`, "4096")
	// effort by itself, and beside what the client wrote in the API's own words
	f("claude-opus-4-5", `"verbosity":"max"`, "", `{"effort":"high"}`, "4096")
	f("claude-sonnet-4-5", `"verbosity":"high"`, "", "", "4096")
	f("claude-opus-4-6", `"verbosity":"low","output_config":{"effort":"high","task_budget":{"total":9}}`, "", `{"effort":"low","task_budget":{"total":9}}`, "4096")
	// a forced tool wins
	const tool = `"tools":[{"type":"function","function":{"name":"f"}}],`
	f("claude-sonnet-4-5", tool+`"tool_choice":"required","reasoning":{"effort":"high"}`, "", "", "4096")
	f("claude-sonnet-4-5", tool+`"tool_choice":"auto","reasoning":{"effort":"high"}`, enabled("3276"), "", "4096")
	// also over thinking that was not asked for
	f("claude-sonnet-5", tool+`"tool_choice":"required"`, `{"type":"disabled"}`, "", "4096")
	f("claude-sonnet-5", tool+`"tool_choice":{"type":"function","function":{"name":"f"}},"verbosity":"max"`, `{"type":"disabled"}`, `{"effort":"high"}`, "4096")
	f("claude-sonnet-5", tool+`"tool_choice":"required","reasoning":{"effort":"high"}`, `{"type":"disabled"}`, "", "4096")
	f("claude-sonnet-5", tool+`"tool_choice":"auto"`, "", "", "4096")
	f("claude-opus-5-5", tool+`"tool_choice":"required"`, "", "", "4096")
	f("claude-opus-4-8", tool+`"tool_choice":"required"`, "", "", "4096")

	s := settings("claude-sonnet-4-5")
	s.Params = 0
	call := adaptertest.Encode(t, newAdapter(t, s), []byte(hello+`,"reasoning":{"effort":"high"}}`))
	if member(call, "thinking") != "" || !call.Dropped.Has(chat.Reasoning) {
		t.Error("a model that is not listed with reasoning was made to think")
	}
}

func TestThoughtsGoBack(t *testing.T) {
	const (
		loop = `"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"r"}`
		use  = `{"type":"tool_use","id":"a","name":"f","input":{}}`
	)
	f := func(model, params, details, blocks string) *codec.Call {
		t.Helper()
		call := built(t, model, `{"messages":[{"role":"user","content":"q"},{"role":"assistant","reasoning_details":`+details+`,`+loop+`]`+params+`}`)
		want := `{"role":"assistant","content":[` + blocks + use + `]}`
		if got := member(call, "messages"); !strings.Contains(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", details, got, want)
		}
		return call
	}
	const (
		on     = `,"reasoning":{"effort":"high"}`
		text   = `{"type":"reasoning.text","format":"anthropic-claude-v1","index":0,"text":"a\n"}`
		more   = `{"type":"reasoning.text","format":"anthropic-claude-v1","index":0,"text":"b"}`
		sig    = `{"type":"reasoning.text","format":"anthropic-claude-v1","index":0,"signature":"S"}`
		hidden = `{"type":"reasoning.encrypted","format":"anthropic-claude-v1","index":2,"data":"D"}`
		block  = `{"type":"thinking","thinking":"a\nb","signature":"S"},`
	)
	call := f("claude-sonnet-4-5", on, `[`+text+`,`+more+`,`+sig+`,`+hidden+`]`, block+`{"type":"redacted_thinking","data":"D"},`)
	if member(call, "thinking") == "" {
		t.Error("thinking is off")
	}
	// a later block under the same index, and one that shows nothing
	f("claude-sonnet-4-5", on, `[`+text+`,`+sig+`,`+more+`,`+sig+`,{"type":"reasoning.text","format":"anthropic-claude-v1","signature":"T"}]`,
		`{"type":"thinking","thinking":"a\n","signature":"S"},{"type":"thinking","thinking":"b","signature":"S"},{"type":"thinking","thinking":"","signature":"T"},`)
	// the model is not asked to think: nothing goes back
	f("claude-sonnet-4-5", "", `[`+text+`,`+sig+`]`, "")
	// this one thinks anyway
	f("claude-sonnet-5", "", `[`+text+`,`+sig+`]`, `{"type":"thinking","thinking":"a\n","signature":"S"},`)
	// what others made, or what is not signed, is no thought of Claude's
	for _, lost := range []string{`[` + text + `,` + more + `]`, `null`, `[]`, `[{"type":"reasoning.encrypted","format":"google-gemini-v1","data":"D"},{"type":"reasoning.text","text":"x","signature":"S"}]`} {
		call := f("claude-sonnet-4-5", on, lost, "")
		if member(call, "thinking") != "" || !call.Dropped.Has(chat.Reasoning) {
			t.Errorf("%s: thinking stays on without the thoughts of the turn", lost)
		}
	}
	// adaptive thinking does not need them
	if call := f("claude-opus-4-7", on, `[]`, ""); member(call, "thinking") == "" {
		t.Error("adaptive thinking was switched off")
	}
}

func TestTools(t *testing.T) {
	f := func(model, params, tools, choice string) *codec.Call {
		t.Helper()
		call := built(t, model, hello+`,`+params+`}`)
		if a, b := member(call, "tools"), member(call, "tool_choice"); a != tools || b != choice {
			t.Errorf("%s\ntools %s\nwant  %s\ntool_choice %s, want %s", params, a, tools, b, choice)
		}
		return call
	}
	const (
		tool = `"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"x":{"type":"string"}}},"strict":true},"cache_control":{"type":"ephemeral"}}]`
		want = `[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"x":{"type":"string"}},"additionalProperties":false},"strict":true,"cache_control":{"type":"ephemeral"}}]`
	)
	f("claude-sonnet-4-5", tool, want, "")
	f("claude-sonnet-4-5", tool+`,"tool_choice":"auto"`, want, `{"type":"auto"}`)
	f("claude-sonnet-4-5", tool+`,"tool_choice":"required"`, want, `{"type":"any"}`)
	f("claude-sonnet-4-5", tool+`,"tool_choice":"none"`, want, `{"type":"none"}`)
	f("claude-sonnet-4-5", tool+`,"tool_choice":{"type":"function","function":{"name":"f"}}`, want, `{"type":"tool","name":"f"}`)
	f("claude-sonnet-4-5", tool+`,"tool_choice":{"type":"tool","name":"f"}`, want, `{"type":"tool","name":"f"}`)
	f("claude-sonnet-4-5", tool+`,"parallel_tool_calls":false`, want, `{"type":"auto","disable_parallel_tool_use":true}`)
	f("claude-sonnet-4-5", tool+`,"tool_choice":"required","parallel_tool_calls":false`, want, `{"type":"any","disable_parallel_tool_use":true}`)
	f("claude-sonnet-4-5", tool+`,"tool_choice":"none","parallel_tool_calls":false`, want, `{"type":"none"}`)
	if call := f("claude-sonnet-4-5", tool+`,"tool_choice":{"type":"web_search"}`, want, ""); !call.Dropped.Has(chat.ToolChoice) {
		t.Error("an unknown tool_choice is not reported")
	}
	f("claude-sonnet-4-5", `"tool_choice":"required","parallel_tool_calls":false`, "", "")
	f("claude-sonnet-4-5", `"tools":[],"tool_choice":"auto"`, "", "")
	if call := f("claude-opus-5-5", tool+`,"tool_choice":"required"`, want, `{"type":"auto"}`); !call.Dropped.Has(chat.ToolChoice) {
		t.Error("a tool that cannot be forced is not reported")
	}
	// the API's own tools, and those that only OpenRouter runs
	f("claude-sonnet-4-5", `"tools":[{"type":"openrouter:datetime"},{"type":"web_search_20250305","name":"web_search","max_uses":2,"cache_control":{"type":"ephemeral"}}]`,
		`[{"type":"web_search_20250305","name":"web_search","max_uses":2,"cache_control":{"type":"ephemeral"}}]`, "")
	f("claude-sonnet-4-5", `"tools":[{"type":"openrouter:datetime"}]`, "", "")

	s := settings("claude-sonnet-4-5")
	s.Tools = false
	call := adaptertest.Encode(t, newAdapter(t, s), []byte(hello+`,`+tool+`,"tool_choice":"auto"}`))
	if member(call, "tools") != "" || call.Dropped != chat.SetOf(chat.Tools, chat.ToolChoice) {
		t.Errorf("tools of a model without: %s, dropped %v", call.Body, call.Dropped.Names())
	}
}

func TestHistoryNeedsTools(t *testing.T) {
	call := built(t, "claude-sonnet-4-5", `{"messages":[{"role":"user","content":"q"},
		{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]}]}`)
	if got := member(call, "tools"); !strings.HasPrefix(got, `[{"name":"f","description":"Was called earlier`) || strings.Count(got, `"name"`) != 1 {
		t.Error(got)
	}
	if got := member(call, "tool_choice"); got != `{"type":"none"}` {
		t.Error(got)
	}
}

func TestInputSchema(t *testing.T) {
	f := func(parameters, want string) {
		t.Helper()
		call := built(t, "claude-sonnet-4-5", hello+`,"tools":[{"type":"function","function":{"name":"f"`+parameters+`}}]}`)
		if got := member(call, "tools"); got != `[{"name":"f","input_schema":`+want+`}]` {
			t.Errorf("%s: %s, want %s", parameters, got, want)
		}
	}
	const empty = `{"type":"object","properties":{}}`
	f(``, empty)
	f(`,"parameters":null`, empty)
	f(`,"parameters":{}`, empty)
	f(`,"parameters":{"properties":{"a":{"type":"string"}},"required":["a"]}`, `{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}`)
	f(`,"parameters":{"type":["object","null"],"properties":{"a":{}}}`, `{"type":"object","properties":{"a":{}}}`)
	f(`,"parameters":{"type":"object","properties":{"k":{"type":"string"}},"anyOf":[{"properties":{"a":{},"k":{}}},{"properties":{"b":{}}}],"description":"d"}`,
		`{"type":"object","description":"d","properties":{"k":{"type":"string"},"a":{},"b":{}}}`)
}

func TestResponseFormat(t *testing.T) {
	const (
		schema = `{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"]}`
		format = `"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":` + schema + `}}`
		tool   = `,"tools":[{"type":"function","function":{"name":"f"}}]`
		answer = `{"name":"gateway_json_answer","description":"Gives the answer to the user. Call it once, with the whole answer","input_schema":` + schema + `}`
	)
	// models that hold to a schema get it, less what they refuse
	call := built(t, "claude-sonnet-4-5", hello+`,`+format+`}`)
	want := `{"format":{"type":"json_schema","schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}}`
	if got := member(call, "output_config"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// older ones get a tool that they must call
	call = built(t, "claude-sonnet-4-0", hello+`,`+format+`,"reasoning":{"effort":"high"}}`)
	if member(call, "tools") != `[`+answer+`]` || member(call, "tool_choice") != `{"type":"tool","name":"gateway_json_answer","disable_parallel_tool_use":true}` || member(call, "thinking") != "" {
		t.Errorf("%s", call.Body)
	}
	call = built(t, "claude-sonnet-4-0", hello+`,`+format+tool+`}`)
	if got := member(call, "tools"); !strings.HasSuffix(got, `},`+answer+`]`) || member(call, "tool_choice") != `{"type":"any","disable_parallel_tool_use":true}` {
		t.Errorf("%s", call.Body)
	}
	call = built(t, "claude-sonnet-4-0", hello+`,`+format+tool+`,"tool_choice":{"type":"function","function":{"name":"f"}}}`)
	if !call.Dropped.Has(chat.ResponseFormat) || strings.Contains(string(call.Body), "gateway_json_answer") {
		t.Errorf("%s", call.Body)
	}
	// JSON without a schema is asked for in words
	call = built(t, "claude-sonnet-4-5", `{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}],"response_format":{"type":"json_object"}}`)
	if got := member(call, "system"); !strings.HasPrefix(got, `"s\n\nAnswer with a single JSON object`) {
		t.Error(got)
	}
	s := settings("claude-sonnet-4-5")
	s.Structured = false
	call = adaptertest.Encode(t, newAdapter(t, s), []byte(hello+`,`+format+`}`))
	if !call.Dropped.Has(chat.ResponseFormat) || member(call, "output_config") != "" {
		t.Errorf("%s", call.Body)
	}
}

func TestStrictAndCustomTools(t *testing.T) {
	f := func(model, tools, want string) {
		t.Helper()
		if got := member(built(t, model, hello+`,"tools":[`+tools+`]}`), "tools"); got != `[`+want+`]` {
			t.Errorf("%s\n got %s\nwant %s", tools, got, want)
		}
	}
	const closed = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
	f("claude-sonnet-5", `{"type":"function","function":{"name":"f","strict":true,"parameters":`+closed+`}}`, `{"name":"f","input_schema":`+closed+`,"strict":true}`)
	f("claude-sonnet-4-0", `{"type":"function","function":{"name":"f","strict":true,"parameters":`+closed+`}}`, `{"name":"f","input_schema":`+closed+`}`)
	const open = `{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"number"}}}}`
	f("claude-sonnet-5", `{"type":"function","function":{"name":"f","strict":true,"parameters":`+open+`}}`, `{"name":"f","input_schema":`+open+`}`)
	f("claude-sonnet-5", `{"type":"custom","custom":{"name":"g","description":"d"}}`,
		`{"name":"g","description":"d","input_schema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}}`)
	const two = `"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]`
	call := built(t, "claude-sonnet-5", hello+`,`+two+`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}}`)
	if got := member(call, "tools"); got != `[{"name":"g","input_schema":{"type":"object","properties":{}}}]` || member(call, "tool_choice") != `{"type":"any"}` || call.Dropped != 0 {
		t.Errorf("%s", call.Body)
	}
}

// What decoding cannot hold without changing its meaning is held by a tool.
func TestSchemasThatDecodingCannotHold(t *testing.T) {
	f := func(held bool, schema string) {
		t.Helper()
		call := built(t, "claude-sonnet-5", hello+`,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":`+schema+`}}}`)
		if got := member(call, "output_config") != ""; got != held {
			t.Errorf("%s: %s", schema, call.Body)
		}
		if !held && (!strings.Contains(member(call, "tools"), `"input_schema":`+schema) || member(call, "tool_choice") != `{"type":"tool","name":"gateway_json_answer","disable_parallel_tool_use":true}`) {
			t.Errorf("%s: %s", schema, call.Body)
		}
	}
	f(true, `{"type":"object","properties":{"a":{"$ref":"#/$defs/b"},"c":{"$ref":"#/$defs/b"}},"$defs":{"b":{"type":"string"}}}`)
	f(false, `{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"number"}}}}`)
	f(false, `{"type":"object","properties":{"m":{"type":"object"}}}`)
	f(false, `{"type":"object","additionalProperties":true}`)
	f(false, `{"type":"object","patternProperties":{"^a":{}}}`)
	f(false, `{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}}}}`)
	f(false, `{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/$defs/n"}}}}}}`)
	f(false, `{"type":"object","properties":{"n":{"$ref":"#/$defs/missing"}}}`)
}

func TestOutputSchema(t *testing.T) {
	f := func(schema, want string) {
		t.Helper()
		call := built(t, "claude-sonnet-4-5", hello+`,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":`+schema+`}}}`)
		if got := member(call, "output_config.format.schema"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", schema, got, want)
		}
	}
	f(`{"type":"object","properties":{},"additionalProperties":false}`, `{"type":"object","properties":{},"additionalProperties":false}`)
	f(`{"$schema":"s","type":"array","minItems":3,"maxItems":9,"items":{"type":"object","properties":{"minimum":{"type":"number","maximum":9}}}}`,
		`{"type":"array","items":{"type":"object","properties":{"minimum":{"type":"number"}},"additionalProperties":false}}`)
	f(`{"type":"array","minItems":1,"items":{"type":"string","format":"uuid","pattern":"^a$","enum":["minimum"]}}`,
		`{"type":"array","minItems":1,"items":{"type":"string","format":"uuid","pattern":"^a$","enum":["minimum"]}}`)
	f(`{"type":"string","format":"color","pattern":"(?=a)b"}`, `{"type":"string"}`)
	f(`{"oneOf":[{"type":"null"},{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":["object","null"],"properties":{"b":{"not":{}}}}}}`,
		`{"anyOf":[{"type":"null"},{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":["object","null"],"properties":{"b":{}},"additionalProperties":false}}}`)
}
