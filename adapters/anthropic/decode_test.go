package anthropic_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

// stream joins events to a stream as the API frames it.
func stream(events ...string) []byte {
	var b strings.Builder
	for _, ev := range events {
		b.WriteString("event: x\ndata: " + ev + "  \n\n")
	}
	return []byte(b.String())
}

const (
	begin = `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":2,"output_tokens":1}}}`
	end   = `{"type":"message_stop"}`
)

func start(block string) string {
	return `{"type":"content_block_start","index":0,"content_block":` + block + `}`
}

func delta(index, d string) string {
	return `{"type":"content_block_delta","index":` + index + `,"delta":` + d + `}`
}

func stop(reason, usage string) string {
	return `{"type":"message_delta","delta":{"stop_reason":"` + reason + `"},"usage":` + usage + `}`
}

const blockStop = `{"type":"content_block_stop","index":0}`

// both decodes an answer in its two forms, which must add up to the same.
func both(t *testing.T, body string, events ...string) adaptertest.Answer {
	t.Helper()
	a := newAdapter(t, settings("claude-sonnet-4-5"))
	whole, streamed := adaptertest.Body(a, []byte(body)), adaptertest.Stream(a, stream(events...), 9)
	if whole.Err != nil || streamed.Err != nil {
		t.Fatalf("body: %v, stream: %v", whole.Err, streamed.Err)
	}
	if !reflect.DeepEqual(whole.Answer, streamed.Answer) {
		t.Errorf("body   %+v\nstream %+v", whole.Answer, streamed.Answer)
	}
	return whole.Answer
}

func TestStreamAndBodyAgree(t *testing.T) {
	got := both(t,
		`{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"a\nb","signature":"S"},{"type":"redacted_thinking","data":"D"},
			{"type":"text","text":"hi"},{"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"x"}},{"type":"web_search_tool_result","content":[]},
			{"type":"text","text":" é😀\ud83d\ude00\"","citations":[{"type":"web_search_result_location","url":"https://e.x/1","title":"T","cited_text":"c"},{"type":"char_location","document_index":0},
			{"type":"web_search_result_location","url":"https://e.x/2"}]},
			{"type":"tool_use","id":"t1","name":"f","input":{"x":1}},{"type":"tool_use","id":"t2","name":"g","input":{}}],
			"stop_reason":"tool_use","usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":2,"output_tokens":30,"output_tokens_details":{"thinking_tokens":7}}}`,
		begin, `{"type":"ping"}`,
		start(`{"type":"thinking","thinking":"","signature":""}`), delta("0", `{"type":"thinking_delta","thinking":"a\n"}`), delta("0", `{"type":"thinking_delta","thinking":"b"}`),
		delta("0", `{"type":"signature_delta","signature":"S"}`), blockStop,
		`{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"D"}}`, blockStop,
		start(`{"type":"text","text":""}`), delta("2", `{"type":"text_delta","text":"h"}`), delta("2", `{"type":"text_delta","text":"i"}`), blockStop,
		start(`{"type":"server_tool_use","id":"s","name":"web_search","input":{}}`), delta("3", `{"type":"input_json_delta","partial_json":"{\"query\":\"x\"}"}`), blockStop,
		start(`{"type":"web_search_tool_result","content":[]}`), blockStop, `{"type":"of_tomorrow","x":[1]}`,
		start(`{"type":"text","text":"","citations":[]}`), delta("5", `{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://e.x/1","title":"T","cited_text":"c"}}`),
		delta("5", `{"type":"text_delta","text":" é😀\ud83d\ude00\""}`), delta("5", `{"type":"citations_delta","citation":{"type":"char_location","document_index":0}}`),
		delta("5", `{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://e.x/2"}}`), delta("5", `{"type":"glitter_delta","g":1}`), blockStop,
		start(`{"type":"tool_use","id":"t1","name":"f","input":{}}`), delta("6", `{"type":"input_json_delta","partial_json":""}`),
		delta("6", `{"type":"input_json_delta","partial_json":"{\"x\""}`), delta("6", `{"type":"input_json_delta","partial_json":":1}"}`), blockStop,
		start(`{"type":"tool_use","id":"t2","name":"g","input":{}}`), delta("7", `{"type":"input_json_delta","partial_json":""}`), blockStop,
		stop("tool_use", `{"input_tokens":0,"output_tokens":30,"output_tokens_details":{"thinking_tokens":7}}`), end,
	)
	want := adaptertest.Choice{
		Content: "hi é😀😀\"", Reasoning: "a\nb",
		Details: []map[string]any{
			{"type": "reasoning.text", "text": "a\nb", "signature": "S", "format": "anthropic-claude-v1", "index": 0.},
			{"type": "reasoning.encrypted", "data": "D", "format": "anthropic-claude-v1", "index": 1.},
		},
		Tools:  []adaptertest.Tool{{ID: "t1", Name: "f", Arguments: `{"x":1}`}, {ID: "t2", Name: "g", Arguments: `{}`}},
		Finish: "tool_calls", Native: "tool_use",
		Annotations: []string{
			`{"type":"url_citation","url_citation":{"url":"https://e.x/1","title":"T","content":"c","start_index":2,"end_index":7}}`,
			`{"type":"url_citation","url_citation":{"url":"https://e.x/2","start_index":2,"end_index":7}}`,
		},
	}
	if !reflect.DeepEqual(got.Choices, []adaptertest.Choice{want}) {
		t.Errorf("got  %+v\nwant %+v", got.Choices, want)
	}
	if u := (chat.Usage{Prompt: 17, CacheRead: 5, CacheWrite: 2, Completion: 30, Reasoning: 7}); got.Usage != u || got.ID != "msg_1" {
		t.Errorf("usage %+v, id %s", got.Usage, got.ID)
	}
}

func TestAnswerToolBecomesContent(t *testing.T) {
	const name = `"name":"gateway_json_answer"`
	got := both(t,
		`{"id":"msg_1","type":"message","content":[{"type":"tool_use","id":"t",`+name+`,"input":{"n":1}}],"stop_reason":"tool_use","usage":{"input_tokens":17,"output_tokens":3}}`,
		strings.ReplaceAll(strings.Replace(begin, `"input_tokens":10`, `"input_tokens":17`, 1), `_input_tokens":`, `_x":`),
		start(`{"type":"tool_use","id":"t",`+name+`,"input":{}}`), delta("0", `{"type":"input_json_delta","partial_json":"{\"n\""}`), delta("0", `{"type":"input_json_delta","partial_json":":1}"}`), blockStop,
		stop("tool_use", `{"output_tokens":3}`), end)
	if c := got.Choices[0]; c.Content != `{"n":1}` || c.Finish != "stop" || c.Native != "tool_use" || len(c.Tools) != 0 {
		t.Errorf("%+v", c)
	}
	// beside a real call the answer goes on
	got = adaptertest.Stream(newAdapter(t, settings("m")), stream(begin, start(`{"type":"tool_use","id":"t",`+name+`,"input":{}}`), blockStop,
		start(`{"type":"tool_use","id":"u","name":"f","input":{"whole":true}}`), blockStop, stop("tool_use", `{"output_tokens":3}`), end), 9).Answer
	if c := got.Choices[0]; c.Content != `{}` || c.Finish != "tool_calls" || len(c.Tools) != 1 || c.Tools[0].Arguments != `{"whole":true}` {
		t.Errorf("%+v", c)
	}
}

func TestFinishReasons(t *testing.T) {
	f := func(reason, want string) {
		t.Helper()
		tr := adaptertest.Body(newAdapter(t, settings("m")), []byte(`{"type":"message","content":[],"stop_reason":"`+reason+`"}`))
		if tr.Err != nil || tr.Choices[0].Finish != want || tr.Choices[0].Native != reason {
			t.Errorf("%s: %v %+v, want %s", reason, tr.Err, tr.Choices, want)
		}
	}
	f("end_turn", "stop")
	f("stop_sequence", "stop")
	f("pause_turn", "stop")
	f("max_tokens", "length")
	f("model_context_window_exceeded", "length")
	f("tool_use", "tool_calls")
	f("refusal", "content_filter")
	// imitations that leave the reason out
	tr := adaptertest.Stream(newAdapter(t, settings("m")), stream(begin, start(`{"type":"tool_use","id":"u","name":"f","input":{}}`), blockStop, end), 9)
	if tr.Err != nil || tr.Choices[0].Finish != "tool_calls" {
		t.Errorf("%v %+v", tr.Err, tr.Choices)
	}
}

func TestRefusalInAStream(t *testing.T) {
	tr := adaptertest.Stream(newAdapter(t, settings("m")), stream(begin, start(`{"type":"text","text":""}`), delta("0", `{"type":"text_delta","text":"I"}`), blockStop,
		`{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","explanation":"not this"}},"usage":{"output_tokens":9}}`, end), 9)
	if c := tr.Choices[0]; tr.Err != nil || c.Content != "I" || c.Refusal != "not this" || c.Finish != "content_filter" || tr.Usage.Completion != 9 {
		t.Errorf("%v %+v", tr.Err, tr.Answer)
	}
}

// TestEndAfterTheStopReason: nothing is missing then, and another attempt would
// be paid for twice.
func TestEndAfterTheStopReason(t *testing.T) {
	tr := adaptertest.Stream(newAdapter(t, settings("m")), stream(begin, stop("end_turn", `{"output_tokens":7}`)), 9)
	if tr.Err != nil || tr.Choices[0].Finish != "stop" || tr.Usage.Completion != 7 {
		t.Errorf("%v %+v", tr.Err, tr.Answer)
	}
}

func TestFaultsInsideAStream(t *testing.T) {
	f := func(events []byte, kind fault.Kind, message string) {
		t.Helper()
		tr := adaptertest.Stream(newAdapter(t, settings("m")), events, 9)
		if tr.Err == nil || tr.Err.Kind != kind || !strings.HasPrefix(tr.Err.Message, message) {
			t.Errorf("%s: %v, want %v: %s", events, tr.Err, kind, message)
		}
	}
	f(stream(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`), fault.Overloaded, "Overloaded")
	f(stream(begin, `{"type":"error","error":{"type":"api_error","message":"Internal server error"},"request_id":null}`), fault.Unavailable, "Internal server error")
	f(stream(begin, `{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}`), fault.RateLimit, "slow down")
	f(stream(begin, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}`), fault.ContextLength, "prompt is too long")
	f([]byte("event: error\ndata: {\"message\":\"no type\"}\n\n"), fault.Unavailable, "no type")
	f([]byte("event: error\ndata: {\"error\":{\"message\":\"no type\"}}\n\n"), fault.Unavailable, "no type")
	f(stream(begin, `{"type":"content_block_delta","index":0,"delta":`), fault.Unavailable, "The upstream's answer is not valid JSON")
	f(stream(begin, start(`{"type":"text","text":"x"}`)), fault.Unavailable, "The upstream ended the stream before")
	f(stream(`{"type":"message_start"}`), fault.Unavailable, "The upstream's answer begins without")
	f(nil, fault.Unavailable, "The upstream ended the stream before")
}

func TestNothingAfterTheEnd(t *testing.T) {
	d := newAdapter(t, settings("m")).Decoder()
	if out, err := d.Event(nil, []byte(end), nil); err != nil || len(out) != 1 || !out[0].Done {
		t.Fatalf("%v %v", out, err)
	}
	for _, late := range []string{begin, `{"type":"error","error":{"message":"x"}}`, end} {
		if out, err := d.Event(nil, []byte(late), nil); err != nil || len(out) != 0 {
			t.Errorf("%s: %v %v", late, out, err)
		}
	}
}

// hot are the events that a long answer consists of.
func hot() map[string][]byte {
	return map[string][]byte{
		"text":      []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" casual way to say hi"}          }`),
		"thinking":  []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":" weather information"}}`),
		"arguments": []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"locati"}              }`),
	}
}

func TestDeltasDoNotAllocate(t *testing.T) {
	for name, data := range hot() {
		d := newAdapter(t, settings("m")).Decoder()
		out, err := d.Event(nil, []byte(start(`{"type":"tool_use","id":"t","name":"f","input":{}}`)), make([]chat.Event, 0, 4))
		if err != nil {
			t.Fatal(err)
		}
		eventName := []byte("content_block_delta")
		n := testing.AllocsPerRun(100, func() {
			if out, err = d.Event(eventName, data, out[:0]); err != nil || len(out) != 1 {
				t.Fatal(err, len(out))
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

func BenchmarkDecodeDelta(b *testing.B) {
	for name, data := range hot() {
		b.Run(name, func(b *testing.B) {
			d := newAdapter(b, settings("m")).Decoder()
			out, err := d.Event(nil, []byte(start(`{"type":"tool_use","id":"t","name":"f","input":{}}`)), make([]chat.Event, 0, 4))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if out, err = d.Event(nil, data, out[:0]); err != nil || len(out) != 1 {
					b.Fatal(err, len(out))
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	a := newAdapter(b, settings("claude-sonnet-4-5"))
	body := []byte(`{"model":"x","max_tokens":64,"temperature":0.2,"messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"Ping"}]}`)
	var r chat.Request
	if err := r.Parse(body); err != nil {
		b.Fatal(err)
	}
	call := adaptertest.Encode(b, a, body)
	b.ReportAllocs()
	for b.Loop() {
		call.Reset()
		if err := a.Encode(&r, call); err != nil {
			b.Fatal(err)
		}
	}
}

func TestCacheWritesOfAnHour(t *testing.T) {
	const body = `{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5,"cache_creation_input_tokens":100,"cache_creation":{"ephemeral_5m_input_tokens":60,"ephemeral_1h_input_tokens":40}}}`
	events, err := newAdapter(t, settings("claude-sonnet-5")).Decoder().Body([]byte(body), nil)
	if err != nil {
		t.Fatal(err)
	}
	u := events[0].Usage
	if u == nil || u.Prompt != 110 || u.CacheWrite != 100 || u.CacheWrite1h != 40 {
		t.Errorf("%+v", u)
	}
}
