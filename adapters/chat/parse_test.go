package chat_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func TestParseRefuses(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		var r chat.Request
		err := r.Parse([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s)\n got %v\nwant %q", body, err, want)
			return
		}
		if fault.KindOf(err) != fault.InvalidRequest {
			t.Errorf("Parse(%s) is %v, want invalid_request", body, fault.KindOf(err))
		}
	}
	const msgs = `"messages":[{"role":"user","content":"x"}]`
	f(``, "not valid JSON")
	f(`[]`, "must be a JSON object")
	f(`{"model":"a"`, "not valid JSON")
	f(`{`+msgs+`} x`, "unexpected data")
	f(`{"model":"a"}`, "messages: required")
	f(`{"messages":[]}`, "at least one message")
	f(`{"messages":{}}`, "messages: must be a non-empty array")
	f(`{"messages":["x"]}`, "messages[0]: must be an object")
	f(`{"messages":[{"content":"x"}]}`, "messages[0].role: required")
	f(`{"messages":[{"role":"robot","content":"x"}]}`, `messages[0].role: must be system, developer, user, assistant or tool, got "robot"`)
	f(`{"messages":[{"role":"user","content":5}]}`, "messages[0].content: must be a string")
	f(`{"messages":[{"role":"user","content":["x"]}]}`, "messages[0].content[0]: must be an object")
	f(`{"messages":[{"role":"user","content":[{"text":"x"}]}]}`, "messages[0].content[0].type: required")
	f(`{"messages":[{"role":"user","content":[{"type":"text"}]}]}`, "messages[0].content[0].text: required")
	f(`{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, "needs a member of that name")
	f(`{"messages":[{"role":"tool","content":"x"}]}`, "messages[0].tool_call_id: required")
	f(`{"model":"a","model":"b",`+msgs+`}`, "model: duplicate key")
	f(`{"model":"a","mod\u0065l":"b",`+msgs+`}`, "model: duplicate key")
	f(`{"Model":"a",`+msgs+`}`, `Model: unknown field; did you mean "model"`)
	f(`{"\u017ftream":true,`+msgs+`}`, `did you mean "stream"`)
	f(`{"top_\u212A":1,`+msgs+`}`, `did you mean "top_k"`)
	f(`{"reasoning":{"effort":"none"},"reasoning_effort":"high",`+msgs+`}`, "reasoning_effort: differs")
	f(`{"reasoning":{"enabled":true},"reasoning_effort":"none",`+msgs+`}`, "reasoning_effort: differs")
	f(`{"n":65,`+msgs+`}`, "n: must be from 1 to 64")
	f(`{"model":7,`+msgs+`}`, "model: must be a string, got 7")
	f(`{"stream":"yes",`+msgs+`}`, `stream: must be true or false, got "yes"`)
	f(`{"temperature":2.5,`+msgs+`}`, "temperature: must be a number from 0 to 2, got 2.5")
	f(`{"temperature":"hot",`+msgs+`}`, "temperature: must be a number")
	f(`{"top_p":0,`+msgs+`}`, "top_p: must be a number above 0")
	f(`{"max_tokens":0,`+msgs+`}`, "max_tokens: must be at least 1, got 0")
	f(`{"max_tokens":1.5,`+msgs+`}`, "max_tokens: must be an integer")
	f(`{"top_logprobs":21,`+msgs+`}`, "top_logprobs: must be from 0 to 20")
	f(`{"stop":["a","b","c","d","e"],`+msgs+`}`, "at most 4 strings, got 5")
	f(`{"stop":[1],`+msgs+`}`, "stop: must be a string")
	f(`{"tools":[{"type":"function","function":{}}],`+msgs+`}`, "tools[0].function.name: required")
	f(`{"tools":[3],`+msgs+`}`, "tools[0]: must be an object")
	f(`{"tool_choice":"sometimes",`+msgs+`}`, "tool_choice: must be none")
	f(`{"response_format":{"type":"xml"},`+msgs+`}`, "response_format.type")
	f(`{"response_format":{"type":"json_schema"},`+msgs+`}`, "json_schema.schema: required")
	f(`{"reasoning":{"effort":"huge"},`+msgs+`}`, "reasoning.effort: must be")
	f(`{"reasoning":{"effort":"low"},"reasoning_effort":"high",`+msgs+`}`, "differs from reasoning.effort")
	f(`{"reasoning":{"effort":"low","max_tokens":5},`+msgs+`}`, "not both")
	f(`{"x":`+strings.Repeat("[", 10000)+strings.Repeat("]", 10000)+`,`+msgs+`}`, "nested too deeply")
	f("{\"x\":\"\xff\","+msgs+"}", "not valid UTF-8")
	f("{\"x\":\"a\x00b\","+msgs+"}", "control character")
}

func TestParseAccepts(t *testing.T) {
	body := `{"model":"demo","stream":true,"temperature":null,"max_tokens":64,"max_completion_tokens":128,"safe_prompt":true,"stop":"x",
 "reasoning":{"effort":"high","exclude":true},
 "messages":[{"role":"developer","content":"d"},{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},
  {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
  {"role":"tool","tool_call_id":"c1","content":"ok","name":null},{"role":"system","content":"late"}]}`
	var r chat.Request
	if err := r.Parse([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if r.Model != "demo" || !r.Stream || r.MaxTokens != 128 {
		t.Errorf("model %q, stream %v, max %d", r.Model, r.Stream, r.MaxTokens)
	}
	want := chat.HasDeveloper | chat.HasParts | chat.HasImage | chat.HasCacheControl | chat.HasReasoning | chat.HasToolCalls | chat.HasToolResults | chat.HasNull | chat.HasLateSystem
	if r.Has != want {
		t.Errorf("features %b, want %b", r.Has, want)
	}
	if r.Sent.Has(chat.Temperature) || r.Raw(chat.Temperature) != nil {
		t.Error("null temperature counts as sent")
	}
	if o := r.Reasoning; !o.Set || o.Effort != "high" || !o.Exclude || o.Off {
		t.Errorf("reasoning %+v", o)
	}
	var unknown []string
	for _, f := range r.Fields {
		if f.Param == chat.Other {
			unknown = append(unknown, string(f.Key)+"="+string(f.Value))
		}
	}
	if strings.Join(unknown, ",") != "safe_prompt=true" {
		t.Errorf("unknown fields %v", unknown)
	}
	turns := r.Turns()
	if len(turns) != 5 || turns[0].Role != chat.RoleDeveloper || string(turns[1].Parts[1].URL) != `"data:image/png;base64,AA"` ||
		string(turns[2].Calls[0].Name) != `"f"` || string(turns[2].Thought) != `"hm"` || string(turns[3].CallID) != `"c1"` {
		t.Errorf("turns %+v", turns)
	}
}

func TestEveryParameterHasItsName(t *testing.T) {
	for p := chat.Model; p < chat.NumParams; p++ {
		if got := chat.ParamOf([]byte(p.String())); got != p {
			t.Errorf("ParamOf(%q) = %d, want %d", p.String(), got, p)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"model":"demo","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}],"stop":["a"],"tools":[{"type":"function","function":{"name":"f"}}]}`))
	f.Add([]byte(`{"messages":[{"role":"tool","tool_call_id":"x","content":null}],"reasoning":{"max_tokens":1},"n":1e0}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		var r chat.Request
		if r.Parse(body) == nil {
			r.Turns()
		}
	})
}

func BenchmarkParse(b *testing.B) {
	small := []byte(`{"model":"demo","messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"Ping"}],"max_tokens":64,"temperature":0.2,"stream":false}`)
	large := []byte(`{"model":"demo","messages":[{"role":"user","content":"` + strings.Repeat("lorem ipsum ", 8500) + `"}],"max_tokens":64}`)
	for name, body := range map[string][]byte{"small": small, "100KB": large} {
		b.Run(name, func(b *testing.B) {
			var r chat.Request
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Parse(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What clients sent before there were tools says the same in today's form, to
// every provider.
func TestLegacyFunctions(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		var r chat.Request
		if err := r.Parse([]byte(in)); err != nil || string(r.Body) != want {
			t.Errorf("%s\n got %s %v\nwant %s", in, r.Body, err, want)
		}
	}
	f(`{"model":"m","messages":[{"role":"user","content":"x"}],"functions":[{"name":"f"},{"name":"g"}],"function_call":"auto"}`,
		`{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"tool_choice":"auto"}`)
	f(`{"messages":[{"role":"user","content":"x"}],"functions":[{"name":"f"}],"function_call":{"name":"f"}}`,
		`{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`)
	f(`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"r"}]}`,
		`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"call_legacy_1","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_legacy_1","name":"f","content":"r"}]}`)
	const plain = `{"messages":[{"role":"assistant","content":"x","function_call":null}]}`
	f(plain, plain)
	var r chat.Request
	for in, want := range map[string]string{
		`{"messages":[{"role":"user","content":"x"}],"functions":[{"name":"f"}],"tools":[]}`: "functions: mutually exclusive with tools",
		`{"messages":[{"role":"user","content":"x"}],"functions":[{}]}`:                      "tools[0].function.name: required",
		`{"messages":[{"role":"user","content":"x"}],"functions":"f"}`:                       "tools: must be an array",
		`{"messages":[{"role":"user","content":"x"}],"\u0066unctions":[]}`:                   "functions: not supported in this spelling",
		`{"functions":[{"name":"f"}`:                                                         "not valid JSON",
	} {
		if err := r.Parse([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}
