package responses_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/responses"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func literal(s string) chat.Literal { return rawjson.AppendString(nil, s) }

func compact(t *testing.T, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return b.String()
}

func parse(t *testing.T, body string) api.Translator {
	t.Helper()
	tr := responses.Language().New()
	if err := tr.Parse([]byte(body), nil); err != nil {
		t.Fatalf("parse %s: %v", body, err)
	}
	return tr
}

func TestRequests(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		if got := compact(t, parse(t, body).Request().Body); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	f(`{"model":"m","input":"Hi","max_output_tokens":5,"store":true}`,
		`{"model":"m","max_completion_tokens":5,"messages":[{"role":"user","content":"Hi"}]}`)
	f(`{"instructions":"Be brief","input":[{"role":"developer","content":"D"},{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,AA","detail":"low"}]}]}`,
		`{"messages":[{"role":"system","content":"Be brief"},{"role":"system","content":"D"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA","detail":"low"}}]}]}`)
	// One assistant turn of several items is one message.
	f(`{"input":[{"role":"user","content":"q"},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}]},
		{"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look"}]},
		{"type":"function_call","call_id":"c1","name":"read","arguments":"{\"p\":1}"},{"type":"function_call","call_id":"c2","name":"list","namespace":"mcp__fs","arguments":"{}"},
		{"type":"function_call_output","call_id":"c1","output":"one"},{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"}]}]}`,
		`{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"I look","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"unknown"}],`+
			`"tool_calls":[{"type":"function","id":"c1","function":{"name":"read","arguments":"{\"p\":1}"}},{"type":"function","id":"c2","function":{"name":"mcp__fs__list","arguments":"{}"}}]},`+
			`{"role":"tool","tool_call_id":"c1","content":"one"},{"role":"tool","tool_call_id":"c2","content":"two"}]}`)
	// Thoughts that OpenAI encrypted go back in its own form.
	f(`{"input":[{"type":"reasoning","id":"rs_9","summary":[],"encrypted_content":"xyz"},{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}`,
		`{"messages":[{"role":"assistant","content":"a","reasoning_details":[{"type":"reasoning.encrypted","data":"xyz","id":"rs_9","format":"openai-responses-v1"}]},{"role":"user","content":"b"}]}`)
	// Tools: functions, free text, namespaces; what a provider would run is left out.
	f(`{"input":"x","tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true},{"type":"web_search"},{"type":"namespace","name":"mcp__fs__","tools":[{"type":"function","name":"read"}]}],"tool_choice":{"type":"function","name":"f"}}`,
		`{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}},{"type":"function","function":{"name":"mcp__fs__read"}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`)
	f(`{"input":[{"type":"custom_tool_call","call_id":"c","name":"patch","input":"*** \"x\""},{"type":"custom_tool_call_output","call_id":"c","output":"ok"}],"tools":[{"type":"custom","name":"patch","description":"Edit","format":{"type":"grammar","syntax":"lark","definition":"start: X"}}]}`,
		`{"messages":[{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"c","function":{"name":"patch","arguments":"{\"input\":\"*** \\\"x\\\"\"}"}}]},{"role":"tool","tool_call_id":"c","content":"ok"}],`+
			`"tools":[{"type":"function","function":{"name":"patch","description":"Edit\n\nThe value of \"input\" must match this lark grammar:\nstart: X","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}}}]}`)
	f(`{"input":"x","tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"g"}]}}`,
		`{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"g"}}],"tool_choice":"required"}`)
	f(`{"input":"x","tools":[{"type":"image_generation"}],"tool_choice":"auto"}`, `{"messages":[{"role":"user","content":"x"}]}`)
	f(`{"input":"x","text":{"format":{"type":"json_schema","name":"a","schema":{"type":"object"},"strict":true},"verbosity":"low"},"reasoning":{"effort":"high","summary":"auto"},"include":["message.output_text.logprobs"],"top_logprobs":2}`,
		`{"messages":[{"role":"user","content":"x"}],"verbosity":"low","response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"},"strict":true}},"reasoning":{"effort":"high","summary":"auto"},"logprobs":true,"top_logprobs":2}`)
}

func TestBadRequests(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		err := responses.Language().New().Parse([]byte(body), nil)
		if err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) != fault.InvalidRequest {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	f(`[]`, "must be a JSON object")
	f(`{"model":"m"}`, "input: required")
	f(`{"input":"x","input":"y"}`, "input: duplicate key")
	f(`{"input":"x","previous_response_id":"r"}`, "previous_response_id: not supported")
	f(`{"input":"x","conversation":"c"}`, "conversation: not supported")
	f(`{"input":"x","background":true}`, "background: not supported")
	f(`{"input":"x","max_output_tokens":0}`, "max_output_tokens: must be a positive integer")
	f(`{"input":[]}`, "input: must have at least one message")
	f(`{"input":[{"type":"item_reference","id":"i"}]}`, "input[0]: item_reference is not supported")
	f(`{"input":[{"type":"function_call","name":"f","arguments":"{}"}]}`, "input[0].call_id: required")
	f(`{"input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]}`, "input[0].content[0].image_url: required")
	f(`{"input":"x","tools":[{"type":"function"}]}`, "tools[0].name: required")
	f(`{"input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"g"}}`, `unknown tool "g"`)
	f(`{"input":"x","text":{"format":{"type":"json_schema"}}}`, "text.format.name: required")
	f(`{"input":"x","truncation":"some"}`, "truncation: must be")
}

// answer is an answer's events with everything in it.
func answer() []chat.Event {
	return []chat.Event{
		{Reasoning: literal("Let me "), Details: []byte(`[{"type":"reasoning.text","text":"Let me ","format":"anthropic-claude-v1","index":0}]`)},
		{Reasoning: literal("see"), Details: []byte(`[{"type":"reasoning.text","text":"see","format":"anthropic-claude-v1","index":0}]`)},
		{Details: []byte(`[{"type":"reasoning.text","signature":"SIG","format":"anthropic-claude-v1","index":0}]`)},
		{Content: literal("I \"look\"")},
		{Content: literal(" it up")},
		{Tools: []chat.ToolDelta{{Index: 0, ID: literal("c1"), Name: literal("mcp__fs__read"), Arguments: literal(`{"p"`)}}},
		{Tools: []chat.ToolDelta{{Index: 1, ID: literal("c2"), Name: literal("patch"), Arguments: literal(`{"input":`)}}},
		{Tools: []chat.ToolDelta{{Index: 0, Arguments: literal(`:1}`)}}},
		{Tools: []chat.ToolDelta{{Index: 1, Arguments: literal(`"a\nb"}`)}}},
		{Finish: chat.FinishToolCalls, Usage: &chat.Usage{Prompt: 10, Completion: 5}, Done: true},
	}
}

const toolsRequest = `{"model":"m","input":"x","stream":true,"tools":[{"type":"namespace","name":"mcp__fs","tools":[{"type":"function","name":"read"}]},{"type":"custom","name":"patch"}]}`

func head() api.Head {
	return api.Head{ID: "gen-1-abcdefghijklmnopqrst", Created: 1, Model: "m", Provider: "P"}
}

func total() *api.Total {
	return &api.Total{Usage: chat.Usage{Prompt: 10, Completion: 5, CacheRead: 4, Reasoning: 2}, Cost: "0.5", PromptCost: "0.2", CompletionCost: "0.3"}
}

// event is one event of a stream.
type event struct {
	Name string
	Data map[string]any
}

func events(t *testing.T, stream []byte) []event {
	t.Helper()
	var list []event
	for i, block := range strings.Split(strings.TrimSpace(string(stream)), "\n\n") {
		name, data, ok := strings.Cut(block, "\n")
		if !ok {
			t.Fatalf("event %d: %q", i, block)
		}
		e := event{Name: strings.TrimPrefix(name, "event: ")}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(data, "data: ")), &e.Data); err != nil {
			t.Fatalf("event %d: %v in %s", i, err, data)
		}
		if e.Data["type"] != e.Name || e.Data["sequence_number"] != float64(i) {
			t.Errorf("event %d: %s has type %v and number %v", i, e.Name, e.Data["type"], e.Data["sequence_number"])
		}
		list = append(list, e)
	}
	return list
}

func stream(t *testing.T, body string, list []chat.Event, end func(api.Stream)) []event {
	t.Helper()
	tr := parse(t, body)
	s := tr.Stream()
	s.Begin(head())
	for i := range list {
		s.Event(&list[i])
	}
	end(s)
	return events(t, *s.Buffer())
}

func TestStream(t *testing.T) {
	got := stream(t, toolsRequest, answer(), func(s api.Stream) { s.End(total()) })
	var names []string
	for _, e := range got {
		names = append(names, strings.TrimPrefix(e.Name, "response."))
	}
	want := "created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.delta " +
		"reasoning_summary_text.done reasoning_summary_part.done output_item.done " +
		"output_item.added content_part.added output_text.delta output_text.delta output_text.done content_part.done output_item.done " +
		"output_item.added function_call_arguments.delta output_item.added function_call_arguments.delta " +
		"function_call_arguments.done output_item.done custom_tool_call_input.delta custom_tool_call_input.done output_item.done completed"
	if names := strings.Join(names, " "); names != want {
		t.Errorf("\n got %s\nwant %s", names, want)
	}
	last, ok := got[len(got)-1].Data["response"].(map[string]any)
	if !ok {
		t.Fatal("the last event has no response")
	}
	output, err := json.Marshal(last["output"])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"summary":[{"text":"Let me see","type":"summary_text"}]`, `"encrypted_content":"gw1.`, `"text":"I \"look\" it up"`,
		`"arguments":"{\"p\":1}","call_id":"c1"`, `"name":"read","namespace":"mcp__fs"`, `"input":"a\nb","name":"patch"`,
	} {
		if !strings.Contains(string(output), part) {
			t.Errorf("no %s in %s", part, output)
		}
	}
}

// TestReasoningComesBack: what a provider signed returns to it unmodified.
func TestReasoningComesBack(t *testing.T) {
	got := stream(t, toolsRequest, answer(), func(s api.Stream) { s.End(total()) })
	last, ok := got[len(got)-1].Data["response"].(map[string]any)
	if !ok {
		t.Fatal("the last event has no response")
	}
	items, err := json.Marshal(last["output"])
	if err != nil {
		t.Fatal(err)
	}
	back := string(parse(t, `{"input":`+string(items)+`}`).Request().Body)
	if want := `"reasoning_details":[{"type":"reasoning.text","text":"Let me see","signature":"SIG","format":"anthropic-claude-v1","index":0}]`; !strings.Contains(back, want) {
		t.Errorf("no %s in %s", want, back)
	}
	if strings.Count(back, `"role":"assistant"`) != 1 {
		t.Errorf("one turn became several messages: %s", back)
	}
}

// TestUnaryIsTheStreamsEnd: both forms of an answer are the same response.
func TestUnaryIsTheStreamsEnd(t *testing.T) {
	for _, list := range [][]chat.Event{answer(), {{Content: literal("x")}, {Finish: chat.FinishLength, Done: true}}, {{Refusal: literal("no")}, {Finish: chat.FinishStop, Done: true}}} {
		streamed := stream(t, toolsRequest, list, func(s api.Stream) { s.End(total()) })
		tr := parse(t, toolsRequest)
		for i := range list {
			tr.Gather(&list[i])
		}
		var unary map[string]any
		if err := json.Unmarshal(tr.Append(nil, head(), total()), &unary); err != nil {
			t.Fatal(err)
		}
		last, ok := streamed[len(streamed)-1].Data["response"].(map[string]any)
		if !ok {
			t.Fatal("the last event has no response")
		}
		delete(last, "completed_at")
		delete(unary, "completed_at")
		a, _ := json.Marshal(last)  //nolint:errchkjson // it was JSON
		b, _ := json.Marshal(unary) //nolint:errchkjson // likewise
		if !bytes.Equal(a, b) {
			t.Errorf("\nstreamed %s\nunary    %s", a, b)
		}
	}
}

func TestEnds(t *testing.T) {
	f := func(list []chat.Event, end func(api.Stream), want, part string) {
		t.Helper()
		got := stream(t, `{"input":"x","stream":true}`, list, end)
		last := got[len(got)-1]
		object, err := json.Marshal(last.Data["response"])
		if err != nil || last.Name != want || !strings.Contains(string(object), part) {
			t.Errorf("%s %s, want %s with %s (%v)", last.Name, object, want, part, err)
		}
	}
	ends := func(s api.Stream) { s.End(total()) }
	text := chat.Event{Content: literal("x")}
	f([]chat.Event{text, {Finish: chat.FinishLength}}, ends, "response.incomplete", `"incomplete_details":{"reason":"max_output_tokens"}`)
	f([]chat.Event{text, {Finish: chat.FinishContentFilter}}, ends, "response.incomplete", `"incomplete_details":{"reason":"content_filter"}`)
	f([]chat.Event{text}, func(s api.Stream) { s.Fail(problem.New(429, "rate_limit_exceeded", "slow down")) }, "response.failed", `"error":{"code":"rate_limit_exceeded","message":"slow down"}`)
	f(nil, func(s api.Stream) { s.Fail(problem.New(502, "provider_unavailable", "gone")) }, "response.failed", `"error":{"code":"server_error","message":"gone"}`)
	f([]chat.Event{{Images: []byte(`[{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]`)}}, ends, "response.completed", `"result":"QUJD"`)
	f([]chat.Event{text, {Annotations: []byte(`[{"type":"url_citation","url_citation":{"url":"http://a","title":"t","start_index":0,"end_index":1}}]`)}}, ends, "response.completed",
		`"annotations":[{"end_index":1,"start_index":0,"title":"t","type":"url_citation","url":"http://a"}]`)
}

// TestInventedArguments: what is no JSON reaches the client as it came.
func TestInventedArguments(t *testing.T) {
	f := func(args, want string) {
		t.Helper()
		got := stream(t, toolsRequest, []chat.Event{{Tools: []chat.ToolDelta{{ID: literal("c"), Name: literal("patch"), Arguments: literal(args)}}}}, func(s api.Stream) { s.End(total()) })
		object, err := json.Marshal(got[len(got)-1].Data["response"])
		if err != nil || !strings.Contains(string(object), want) {
			t.Errorf("no %s in %s", want, object)
		}
	}
	f(`{"input":"a"}`, `"input":"a"`)
	f(`*** Begin`, `"input":"*** Begin"`)
	f(`{"other":1}`, `"input":"{\"other\":1}"`)
	f(``, `"input":""`)
}

func TestTranslatorIsReusable(t *testing.T) {
	tr := responses.Language().New()
	var first string
	for range 3 {
		if err := tr.Parse([]byte(toolsRequest), nil); err != nil {
			t.Fatal(err)
		}
		s := tr.Stream()
		s.Begin(head())
		list := answer()
		for i := range list {
			s.Event(&list[i])
		}
		s.Fail(problem.New(502, "provider_unavailable", "gone"))
		if got := string(*s.Buffer()); first == "" {
			first = got
		} else if got != first {
			t.Errorf("another stream:\n%s\n%s", got, first)
		}
		tr.Reset()
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(toolsRequest))
	f.Add([]byte(`{"input":[{"type":"reasoning","encrypted_content":"gw1.W10"},{"role":"user","content":[{}]}],"tools":[{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		tr := responses.Language().New()
		if err := tr.Parse(body, nil); err == nil && rawjson.Valid(tr.Request().Body) != nil {
			t.Errorf("%q became %q", body, tr.Request().Body)
		}
	})
}

func BenchmarkChunk(b *testing.B) {
	tr := responses.Language().New()
	if err := tr.Parse([]byte(toolsRequest), nil); err != nil {
		b.Fatal(err)
	}
	s := tr.Stream()
	s.Begin(head())
	ev := chat.Event{Content: literal("token ")}
	b.ReportAllocs()
	for b.Loop() {
		s.Event(&ev)
		*s.Buffer() = (*s.Buffer())[:0]
	}
}
