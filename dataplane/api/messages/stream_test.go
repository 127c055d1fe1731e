package messages_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/sse"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/messages"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func lit(text string) chat.Literal { return chat.Literal(`"` + text + `"`) }

func tools(deltas ...chat.ToolDelta) chat.Event { return chat.Event{Tools: deltas} }

func call(index int, id, name, args string) chat.ToolDelta {
	d := chat.ToolDelta{Index: index}
	if id != "" {
		d.ID, d.Name = lit(id), lit(name)
	}
	if args != "" {
		d.Arguments = lit(args)
	}
	return d
}

func head() api.Head { return api.Head{ID: "msg_1", Model: "m"} }

// begun returns a stream that has begun.
func begun() api.Stream {
	s := messages.Language().New().Stream()
	s.Begin(head())
	return s
}

// answer returns what writes an answer in one piece.
func answer() api.Translator {
	tr := messages.Language().New()
	if err := tr.Parse([]byte(`{"messages":[{"role":"user","content":"q"}]}`), nil); err != nil {
		panic(err)
	}
	return tr
}

// streamed and unary write an answer in its two forms.
func streamed(events []chat.Event, u *chat.Usage) string {
	s := begun()
	for i := range events {
		s.Event(&events[i])
	}
	s.End(&api.Total{Usage: *u})
	return string(*s.Buffer())
}

func unary(events []chat.Event, u *chat.Usage) string {
	a := answer()
	for i := range events {
		a.Gather(&events[i])
	}
	return string(a.Append(nil, head(), &api.Total{Usage: *u}))
}

// short lists a stream's events without their framing.
func short(t *testing.T, stream string) string {
	t.Helper()
	var out []string
	for block := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		name, data, ok := strings.Cut(block, "\ndata: ")
		if !ok || name != "event: "+string(rawText(chat.Member([]byte(data), "type"))) {
			t.Errorf("malformed event %q", block)
		}
		data = strings.TrimSuffix(strings.TrimPrefix(data, `{"type":"`), "}")
		out = append(out, strings.TrimPrefix(data, "content_block_"))
	}
	return strings.Join(out, "\n")
}

func rawText(raw []byte) []byte { return []byte(strings.Trim(string(raw), `"`)) }

func TestStream(t *testing.T) {
	usage := chat.Usage{Prompt: 20, CacheRead: 5, CacheWrite: 3, Completion: 9, Reasoning: 4}
	f := func(events []chat.Event, stop, content string, lines ...string) {
		t.Helper()
		head := `message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}`
		tail := `message_delta","delta":{"stop_reason":"` + stop + `","stop_sequence":null},"usage":{"input_tokens":12,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}` + "\nmessage_stop\""
		want := strings.Join(append(append([]string{head}, lines...), tail), "\n")
		if got := short(t, streamed(events, &usage)); got != want {
			t.Errorf("stream\n%s\nwant\n%s", got, want)
		}
		body := `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[` + content + `],"stop_reason":"` + stop + `","stop_sequence":null,` +
			`"usage":{"input_tokens":12,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}}`
		if got := unary(events, &usage); got != body {
			t.Errorf("message\n%s\nwant\n%s", got, body)
		}
	}
	const (
		text     = `start","index":0,"content_block":{"type":"text","text":""}`
		thinking = `start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}`
		stop0    = `stop","index":0`
		stop1    = `stop","index":1`
	)
	f([]chat.Event{{Finish: chat.FinishStop, Native: lit("stop")}}, "end_turn", ``)
	f([]chat.Event{{Content: lit("a\\n")}, {Content: lit("")}, {Choice: 1, Content: lit("other")}, {Content: lit("b")}, {Finish: chat.FinishLength}}, "max_tokens",
		`{"type":"text","text":"a\nb"}`, text, `delta","index":0,"delta":{"type":"text_delta","text":"a\n"}`, `delta","index":0,"delta":{"type":"text_delta","text":"b"}`, stop0)
	// thoughts that no one signed, then the answer
	f([]chat.Event{{Reasoning: lit("h")}, {Reasoning: lit("m"), Details: []byte(`[{"type":"reasoning.text","text":"m","format":"unknown"}]`)}, {Content: lit("a")}, {Finish: chat.FinishStop, Native: lit("stop_sequence")}},
		"stop_sequence", `{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"a"}`,
		thinking, `delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}`, `delta","index":0,"delta":{"type":"thinking_delta","thinking":"m"}`, stop0,
		strings.Replace(text, "0", "1", 1), `delta","index":1,"delta":{"type":"text_delta","text":"a"}`, stop1)
	// Claude's own, in two blocks, one redacted, one that shows nothing
	f([]chat.Event{
		{Reasoning: lit("h"), Details: []byte(`[{"type":"reasoning.text","text":"h","format":"anthropic-claude-v1","index":0}]`)},
		{Details: []byte(`[{"type":"reasoning.text","signature":"S","format":"anthropic-claude-v1","index":0}]`)},
		{Details: []byte(`[{"type":"reasoning.encrypted","data":"D","format":"anthropic-claude-v1","index":1}]`)},
		{Details: []byte(`[{"type":"reasoning.text","signature":"T","format":"anthropic-claude-v1","index":2}]`)},
		{Finish: chat.FinishContentFilter, Refusal: lit("no")},
	}, "refusal", `{"type":"thinking","thinking":"h","signature":"S"},{"type":"redacted_thinking","data":"D"},{"type":"thinking","thinking":"","signature":"T"},{"type":"text","text":"no"}`,
		thinking, `delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}`, `delta","index":0,"delta":{"type":"signature_delta","signature":"S"}`, stop0,
		`start","index":1,"content_block":{"type":"redacted_thinking","data":"D"}`, stop1,
		strings.Replace(thinking, "0", "2", 1), `delta","index":2,"delta":{"type":"signature_delta","signature":"T"}`, `stop","index":2`,
		strings.Replace(text, "0", "3", 1), `delta","index":3,"delta":{"type":"text_delta","text":"no"}`, `stop","index":3`)
}

func TestStreamOfCalls(t *testing.T) {
	tool := func(index, id, name string) string {
		return `start","index":` + index + `,"content_block":{"type":"tool_use","id":"` + id + `","name":"` + name + `","input":{}}`
	}
	args := func(index, text string) string {
		return `delta","index":` + index + `,"delta":{"type":"input_json_delta","partial_json":"` + text + `"}`
	}
	f := func(events []chat.Event, content string, lines ...string) {
		t.Helper()
		events = append(events, chat.Event{Finish: chat.FinishToolCalls, Native: lit("tool_calls")})
		got := short(t, streamed(events, &chat.Usage{}))
		got = got[strings.Index(got, "\n")+1 : strings.LastIndex(got, "\nmessage_delta")]
		if want := strings.Join(lines, "\n"); got != want {
			t.Errorf("stream\n%s\nwant\n%s", got, want)
		}
		if got := unary(events, &chat.Usage{}); !strings.Contains(got, `"content":[`+content+`],"stop_reason":"tool_use"`) {
			t.Errorf("message %s, want %s", got, content)
		}
	}
	one := `{"type":"tool_use","id":"a","name":"f","input":{"x":"}\""}}`
	two := `{"type":"tool_use","id":"b","name":"g","input":{}}`
	// one after the other
	f([]chat.Event{tools(call(0, "a", "f", "")), tools(call(0, "", "", `{\"x\":\"`)), tools(call(0, "", "", `}\\\"\"}`)), tools(call(1, "b", "g", "")), tools(call(1, "", "", `{}`))},
		one+`,`+two, tool("0", "a", "f"), args("0", `{\"x\":\"}\\\"\"}`), `stop","index":0`, tool("1", "b", "g"), args("1", `{}`), `stop","index":1`)
	// both at once, as some servers send them
	f([]chat.Event{
		tools(call(0, "a", "f", `{\"x\":`), call(1, "b", "g", "")), tools(call(1, "", "", `{`), call(0, "", "", `\"}\\\"\"`)), tools(call(1, "", "", `}`)), tools(call(0, "", "", `}`)),
		tools(call(0, "", "", ` `)),
	}, one+`,`+two, tool("0", "a", "f"), args("0", `{\"x\":\"}\\\"\"}`), `stop","index":0`, tool("1", "b", "g"), args("1", `{}`), `stop","index":1`)
	// the first one's arguments never come
	f([]chat.Event{tools(call(0, "b", "g", "")), tools(call(1, "a", "f", `{\"x\":\"}\\\"\"}`)), {Content: lit("t")}},
		`{"type":"tool_use","id":"b","name":"g","input":{}},`+one+`,{"type":"text","text":"t"}`,
		tool("0", "b", "g"), `stop","index":0`, tool("1", "a", "f"), args("1", `{\"x\":\"}\\\"\"}`), `stop","index":1`,
		`start","index":2,"content_block":{"type":"text","text":""}`, `delta","index":2,"delta":{"type":"text_delta","text":"t"}`, `stop","index":2`)
	// members go out when they are complete
	f([]chat.Event{tools(call(0, "a", "f", `{\"x\":[1,`)), tools(call(0, "", "", `2],\"y\":{\"z\":\",\"},\"v\"`)), tools(call(0, "", "", `:null}`))},
		`{"type":"tool_use","id":"a","name":"f","input":{"x":[1,2],"y":{"z":","},"v":null}}`,
		tool("0", "a", "f"), args("0", `{\"x\":[1,2],\"y\":{\"z\":\",\"}`), args("0", `,\"v\":null}`), `stop","index":0`)
	// arguments that escape more than they must, and broken ones
	f([]chat.Event{tools(call(0, "a", "f", `{\u0022x\u0022:\u0022}\u005c\u0022\u0022\n}`)), tools(call(1, "b", "g", `{\"x`))}, `{"type":"tool_use","id":"a","name":"f","input":{"x":"}\""
}},{"type":"tool_use","id":"b","name":"g","input":{"arguments":"{\"x","note":"The arguments of this call were not a JSON object"}}`,
		tool("0", "a", "f"), args("0", `{\u0022x\u0022:\u0022}\u005c\u0022\u0022\n}`), `stop","index":0`, tool("1", "b", "g"), args("1", `{\"arguments\":\"{\\\"x\",\"note\":\"The arguments of this call were not a JSON object\"}`), `stop","index":1`)
}

// TestBrokenArguments sends arguments that are no JSON object, cut anywhere: an
// object with their text goes out in one piece and in a stream, never an empty
// one, and no value that was cut off passes for an entire one.
func TestBrokenArguments(t *testing.T) {
	const note = `"note":"The arguments of this call were not a JSON object"}`
	for text, want := range map[string]string{
		`{'city':'A'}`:            `{"arguments":"{'city':'A'}",`,
		`city=A`:                  `{"arguments":"city=A",`,
		`"Rome"`:                  `{"arguments":"\"Rome\"",`,
		`[1,2]`:                   `{"arguments":"[1,2]",`,
		`{"city":"A"`:             `{"arguments":"{\"city\":\"A\"",`,
		`{"city":"A",}`:           `{"city":"A","arguments":"{\"city\":\"A\",}",`,
		`{"a":1,"command":"rm -`:  `{"a":1,"arguments":"{\"a\":1,\"command\":\"rm -",`,
		`{"a":1}{"b":2}`:          `{"arguments":"{\"a\":1}{\"b\":2}",`,
		`{"a":1,"b":2x,"c":3}`:    `{"a":1,"arguments":"{\"a\":1,\"b\":2x,\"c\":3}",`,
		`{"a":[1,2,"b":{"c":",}"`: `{"arguments":"{\"a\":[1,2,\"b\":{\"c\":\",}\"",`,
		"{\"a\":\"x\ny\"}":        `{"arguments":"{\"a\":\"x\ny\"}",`,
		` `:                       `{}`,
		`null`:                    `{}`,
		`{}`:                      `{}`,
	} {
		if want != `{}` {
			want += note
		}
		for cut := 1; cut <= len(text); cut++ {
			events := []chat.Event{tools(call(0, "a", "f", ""))}
			for rest := text; rest != ""; rest = rest[min(cut, len(rest)):] {
				part := rawjson.AppendString(nil, rest[:min(cut, len(rest))])
				events = append(events, chat.Event{Tools: []chat.ToolDelta{{Arguments: part}}})
			}
			events = append(events, chat.Event{Finish: chat.FinishToolCalls})
			var got []byte
			for line := range strings.SplitSeq(streamed(events, &chat.Usage{}), "\n") {
				if data, ok := strings.CutPrefix(line, "data: "); ok {
					got = append(got, rawjson.Unquote(nil, chat.Member(chat.Member([]byte(data), "delta"), "partial_json"))...)
				}
			}
			if string(got) != want {
				t.Errorf("%s in pieces of %d: %s, want %s", text, cut, got, want)
			}
			if message := unary(events, &chat.Usage{}); !strings.Contains(message, `"input":`+want) {
				t.Errorf("%s in pieces of %d: %s, want %s", text, cut, message, want)
			}
		}
	}
}

// TestForeignDetailsComeBack sends another provider's signatures to a client
// of this API and takes them back in the next turn.
func TestForeignDetailsComeBack(t *testing.T) {
	const (
		first  = `{"type":"reasoning.text","text":"h","signature":"S","format":"google-gemini-v1","index":0}`
		second = `{"type":"reasoning.encrypted","data":"C=","id":"a","format":"google-gemini-v1","index":1}`
	)
	events := []chat.Event{
		{Reasoning: lit("h"), Details: []byte(`[` + first + `]`)},
		{Tools: []chat.ToolDelta{call(0, "a", "f", `{`)}, Details: []byte(`[` + second + `]`)},
		tools(call(0, "", "", `}`)),
		{Finish: chat.FinishToolCalls},
	}
	for name, message := range map[string]string{"message": unary(events, &chat.Usage{}), "stream": assembled(t, streamed(events, &chat.Usage{}))} {
		content := string(chat.Member([]byte(message), "content"))
		r, err := parse([]byte(`{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":` + content + `},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r"}]}]}`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		turn := r.Turns()[1]
		if got := string(turn.Details); !strings.Contains(got, first) || !strings.Contains(got, second) || strings.Index(got, first) > strings.Index(got, second) {
			t.Errorf("%s: %s", name, got)
		}
		if len(turn.Calls) != 1 || string(turn.Calls[0].ID) != `"a"` {
			t.Errorf("%s: calls %v", name, turn.Calls)
		}
		// and Claude gets none of it
		var out codec.Call
		if err := newAdapter(t, "claude-opus-5").Encode(r, &out); err != nil || strings.Contains(string(out.Body), "gw1.") || strings.Contains(string(out.Body), "thinking") {
			t.Errorf("%s: %v %s", name, err, out.Body)
		}
	}
}

// assembled makes a message of a stream as the published SDKs do.
func assembled(t *testing.T, stream string) string {
	t.Helper()
	var blocks []string
	for line := range strings.SplitSeq(stream, "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		raw := []byte(data)
		switch string(rawText(chat.Member(raw, "type"))) {
		case "content_block_start":
			blocks = append(blocks, string(chat.Member(raw, "content_block")))
		case "content_block_delta":
			last := &blocks[len(blocks)-1]
			for field, delta := range map[string]string{`"thinking":"`: "thinking", `"text":"`: "text", `"signature":"`: "signature"} {
				if text := chat.Member(chat.Member(raw, "delta"), delta); text != nil {
					*last = strings.Replace(*last, field, field+string(rawText(text)), 1)
				}
			}
		}
	}
	return `{"content":[` + strings.Join(blocks, ",") + `]}`
}

// An image that the model made is not lost in silence.
func TestImageIsNoted(t *testing.T) {
	events := []chat.Event{{Content: lit("see")}, {Images: []byte(`[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]`)}, {Finish: chat.FinishStop}}
	for _, got := range []string{unary(events, &chat.Usage{}), streamed(events, &chat.Usage{})} {
		if !strings.Contains(got, "The model made an image here") {
			t.Error(got)
		}
	}
}

// TestRecordedStreams sends each recorded stream through the canonical form
// and reads it again: nothing is lost on the way.
func TestRecordedStreams(t *testing.T) {
	root := os.Getenv("GATEWAY_FIXTURES")
	streams := map[string][]byte{"own": []byte(streamed([]chat.Event{{Content: lit("x")}, tools(call(0, "a", "f", "{}")), {Finish: chat.FinishToolCalls, Native: lit("tool_use")}}, &chat.Usage{Prompt: 1, Completion: 2}))}
	if root != "" {
		files, err := filepath.Glob(filepath.Join(root, "*", "*", "stream.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if provider := filepath.Base(filepath.Dir(filepath.Dir(file))); provider == "anthropic" || provider == "vertex-claude" {
				if streams[provider+"/"+filepath.Base(filepath.Dir(file))], err = os.ReadFile(file); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(streams) < 9 {
			t.Errorf("%d streams", len(streams))
		}
	}
	a := newAdapter(t, "m")
	for name, raw := range streams {
		want := adaptertest.Stream(a, raw, len(raw))
		if want.Err != nil {
			continue // the one that breaks off
		}
		out, again := resent(t, a.Decoder(), raw)
		got := adaptertest.Stream(a, out, 11)
		got.ID = want.ID
		if got.Err != nil || !reflect.DeepEqual(got.Answer, want.Answer) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, got.Err, got.Answer, want.Answer)
		}
		body := adaptertest.Body(a, again)
		body.ID = want.ID
		if body.Err != nil || !sameAnswer(&body.Answer, &want.Answer) {
			t.Errorf("%s: %v\nbody %+v\nwant %+v", name, body.Err, body.Answer, want.Answer)
		}
	}
}

// sameAnswer compares but for the white space in arguments.
func sameAnswer(a, b *adaptertest.Answer) bool {
	for _, x := range []*adaptertest.Answer{a, b} {
		for i := range x.Choices {
			for j := range x.Choices[i].Tools {
				arg := &x.Choices[i].Tools[j].Arguments
				*arg = strings.ReplaceAll(*arg, " ", "")
			}
		}
	}
	return reflect.DeepEqual(a, b)
}

// resent decodes a stream and writes it again, as a stream and as a message.
func resent(t *testing.T, d codec.Decoder, raw []byte) (stream, message []byte) {
	t.Helper()
	s, m := begun(), answer()
	var usage chat.Usage
	var r sse.Reader
	var events []chat.Event
	for len(raw) > 0 {
		n := copy(r.Space(), raw)
		r.Advance(n)
		raw = raw[n:]
		for {
			ev, ok, err := r.Next()
			if err != nil || !ok {
				break
			}
			if events, err = d.Event(ev.Name, ev.Data, events[:0]); err != nil {
				t.Fatal(err)
			}
			for i := range events {
				s.Event(&events[i])
				m.Gather(&events[i])
				if u := events[i].Usage; u != nil {
					usage = *u
				}
			}
		}
	}
	total := api.Total{Usage: usage}
	s.End(&total)
	return *s.Buffer(), m.Append(nil, head(), &total)
}

func TestPromptIsToldAtTheStart(t *testing.T) {
	got := streamed([]chat.Event{{Usage: &chat.Usage{Prompt: 7, CacheRead: 2, Completion: 3}}, {Content: lit("x")}}, &chat.Usage{})
	if !strings.Contains(got[:strings.Index(got, "\n\n")], `"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":2,"output_tokens":0}`) {
		t.Error(got)
	}
}

func TestPingAndFail(t *testing.T) {
	s := begun()
	s.Event(&chat.Event{ID: lit("x")})
	if len(*s.Buffer()) != 0 {
		t.Errorf("an event without content was written: %s", *s.Buffer())
	}
	s.KeepAlive()
	s.Fail(&problem.Problem{Status: 529, Message: "Over\"loaded", RequestID: "req_1"})
	want := "event: ping\ndata: {\"type\":\"ping\"}\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Over\\\"loaded\"},\"request_id\":\"req_1\"}\n\n"
	if string(*s.Buffer()) != want {
		t.Errorf("%s", *s.Buffer())
	}
}

func TestErrorTypes(t *testing.T) {
	for status, want := range map[int]string{
		400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
		422: "invalid_request_error", 429: "rate_limit_error", 500: "api_error", 502: "api_error", 503: "overloaded_error", 524: "timeout_error", 529: "overloaded_error",
	} {
		got := messages.Language().AppendError(nil, problem.New(status, "", ""))
		if !strings.Contains(string(got), `"type":"`+want+`"`) {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

func TestEventsDoNotAllocate(t *testing.T) {
	s := begun()
	for name, ev := range map[string]chat.Event{
		"text":      {Content: lit("hello there")},
		"thinking":  {Reasoning: lit("hmm"), Details: []byte(`[{"type":"reasoning.text","text":"hmm","format":"anthropic-claude-v1","index":0}]`)},
		"arguments": tools(call(0, "", "", `{\"x\":`)),
	} {
		s.Event(&ev)
		if n := testing.AllocsPerRun(100, func() {
			*s.Buffer() = (*s.Buffer())[:0]
			s.Event(&ev)
		}); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

func BenchmarkStreamEvent(b *testing.B) {
	s := begun()
	ev := chat.Event{Content: lit("hello there")}
	b.ReportAllocs()
	for b.Loop() {
		*s.Buffer() = (*s.Buffer())[:0]
		s.Event(&ev)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"a":1}}}`), []byte(`{"type":"message_delta","delta":{"stop_reason":"tool_use"}}`))
	f.Add([]byte(`{"type":"message","content":[{"type":"thinking","thinking":"a","signature":"b"},{"type":"text","text":"\u0041"}],"stop_reason":"end_turn"}`), []byte(`{}`))
	a := newAdapter(f, "m")
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := a.Decoder()
		s, m := begun(), answer()
		for _, data := range [][]byte{first, second} {
			events, err := d.Event(nil, data, nil)
			if err != nil {
				break
			}
			for i := range events {
				s.Event(&events[i])
				m.Gather(&events[i])
			}
		}
		s.End(&api.Total{})
		stream, body := adaptertest.Stream(a, *s.Buffer(), 100), adaptertest.Body(a, m.Append(nil, head(), &api.Total{}))
		if stream.Err != nil || body.Err != nil {
			t.Fatalf("stream: %v, body: %v\n%s", stream.Err, body.Err, *s.Buffer())
		}
	})
}
