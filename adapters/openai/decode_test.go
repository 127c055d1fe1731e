package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// stream frames chunks as events.
func stream(chunks ...string) []byte {
	return []byte("data: " + strings.Join(chunks, "\n\ndata: ") + "\n\n")
}

// delta is a chunk with one choice.
func delta(members string) string {
	return `{"id":"a","choices":[{"index":0,"delta":{` + members + `}}]}`
}

const (
	stop = `{"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	done = "[DONE]"
)

// answer decodes a stream that has to be complete.
func answer(t *testing.T, kind string, chunks ...string) adaptertest.Choice {
	t.Helper()
	tr := adaptertest.Stream(adapter(t, endpoint(kind, "m")), stream(chunks...), 1000)
	if tr.Err != nil || len(tr.Choices) != 1 || !tr.Done {
		t.Fatalf("%v, %d choices, done %v", tr.Err, len(tr.Choices), tr.Done)
	}
	return tr.Choices[0]
}

func calls(c adaptertest.Choice) string {
	var out []string
	for _, tool := range c.Tools {
		out = append(out, fmt.Sprintf("%s %s%s", tool.ID, tool.Name, tool.Arguments))
	}
	return strings.Join(out, "; ")
}

func TestToolCalls(t *testing.T) {
	f := func(want string, calls_ ...string) {
		t.Helper()
		var chunks []string
		for _, c := range calls_ {
			chunks = append(chunks, delta(`"tool_calls":`+c))
		}
		c := answer(t, "vllm", append(chunks, stop, done)...)
		if got := calls(c); got != want || c.Finish != "tool_calls" {
			t.Errorf("%v\n got %s, %s\nwant %s", calls_, got, c.Finish, want)
		}
	}
	// fragments in the usual way, with nulls, with a repeated id and name
	f(`1 f{"a":1}`, `[{"index":0,"id":"1","function":{"name":"f","arguments":""}}]`, `[{"index":0,"function":{"arguments":"{\"a\""}}]`, `[{"index":0,"id":null,"function":{"name":null,"arguments":":1}"}}]`)
	f(`1 f{"a":1}`, `[{"index":0,"id":"1","function":{"name":"f","arguments":"{\"a\""}}]`, `[{"index":0,"id":"1","function":{"name":"f","arguments":":1}"}}]`)
	// two calls: interleaved, under one index, without index, from index 1 on
	f(`1 f{}; 2 g{}`, `[{"index":0,"id":"1","function":{"name":"f","arguments":"{"}},{"index":1,"id":"2","function":{"name":"g","arguments":"{"}}]`, `[{"index":1,"function":{"arguments":"}"}}]`, `[{"index":0,"function":{"arguments":"}"}}]`)
	f(`1 f{}; 2 g{}`, `[{"index":0,"id":"1","function":{"name":"f","arguments":"{}"}}]`, `[{"index":0,"id":"2","function":{"name":"g","arguments":"{"}}]`, `[{"index":0,"function":{"arguments":"}"}}]`)
	f(`1 f{}; 2 g{}`, `[{"id":"1","function":{"name":"f","arguments":"{}"}}]`, `[{"id":"2","function":{"name":"g","arguments":"{"}}]`, `[{"function":{"arguments":"}"}}]`)
	f(`1 f{}`, `[{"index":1,"id":"1","function":{"name":"f","arguments":"{}"}}]`)
	// no arguments, or an object in the place of its text
	f(`1 f{}`, `[{"index":0,"id":"1","function":{"name":"f"}}]`)
	f(`1 f{}; 2 g{}`, `[{"index":0,"id":"1","function":{"name":"f","arguments":""}},{"index":1,"id":"2","function":{"name":"g","arguments":null}}]`)
	f(`1 f{"a":"b"}`, `[{"index":0,"id":"1","function":{"name":"f","arguments":{"a":"b"}}}]`)
	// an id that comes late is too late, a name is not
	f(`call_38585r2ri9u5m_0_0 f{}`, `[{"index":0,"function":{"name":"f","arguments":"{"}}]`, `[{"index":0,"id":"9","function":{"arguments":"}"}}]`)
	f(`1 f{}`, `[{"index":0,"id":"1","function":{"arguments":""}}]`, `[{"index":0,"function":{"name":"f","arguments":"{}"}}]`)
	// no ids at all
	f(`call_38585r2ri9u5m_0_0 f{}; call_38585r2ri9u5m_0_1 g{}`, `[{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"g","arguments":"{"}}]`, `[{"function":{"arguments":"}"}}]`)
	f(`1 f{}`, `null`, `[]`, `[null,7]`, `[{"index":0,"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]`)
}

func TestWholeMessages(t *testing.T) {
	f := func(body, content, tools, finish string) {
		t.Helper()
		tr := adaptertest.Body(adapter(t, endpoint("vllm", "m")), []byte(body))
		if tr.Err != nil || len(tr.Choices) != 1 || !tr.Done {
			t.Fatalf("%s: %v", body, tr.Err)
		}
		if c := tr.Choices[0]; c.Content != content || calls(c) != tools || c.Finish != finish {
			t.Errorf("%s: %q, %q, %s", body, c.Content, calls(c), c.Finish)
		}
	}
	f(`{"choices":[{"message":{"content":"a"},"finish_reason":"eos"}]}`, "a", "", "stop")
	f(`{"choices":[{"message":{"content":"a"},"finish_reason":null}]}`, "a", "", "stop")
	f(`{"choices":[{"message":{"content":[{"type":"text","text":"a\n"},{"type":"text","text":"b"}]},"finish_reason":"stop"}]}`, "a\nb", "", "stop")
	f(`{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}},{"id":"1","function":{"name":"f","arguments":""}}]},"finish_reason":"stop"}]}`,
		"", "1 f{}; 1 f{}", "tool_calls")
	f(`{"choices":[{"message":{"content":"","tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":"{}"}},{"index":0,"id":"2","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"length"}]}`,
		"", "1 f{}; 2 g{}", "length")
}

// TestNoArguments gives a call without arguments an empty object in its own
// fragment: a unary answer has one entry for it.
func TestNoArguments(t *testing.T) {
	for _, arguments := range []string{`,"arguments":""`, `,"arguments":null`, ``} {
		body := `{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1","function":{"name":"f"` + arguments + `}},{"id":"2","function":{"name":"g"` + arguments + `}}]},"finish_reason":"tool_calls"}]}`
		events, err := adapter(t, endpoint("openai_compat", "m")).Decoder().Body([]byte(body), nil)
		if err != nil || len(events) != 2 || len(events[0].Tools) != 2 {
			t.Fatalf("%s: %v %+v", arguments, err, events)
		}
		for _, call := range events[0].Tools {
			if string(call.Arguments) != `"{}"` {
				t.Errorf("%s: %s", arguments, call.Arguments)
			}
		}
	}
}

func TestSeveralChoices(t *testing.T) {
	a := adapter(t, endpoint("vllm", "m"))
	const first, second = `{"choices":[{"index":1,"delta":{"content":"b"}}]}`, `{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}`
	tr := adaptertest.Stream(a, stream(first, second, `{"choices":[{"index":1,"delta":{"content":"c"},"finish_reason":"length"}]}`), 100)
	if tr.Err != nil || len(tr.Choices) != 2 || tr.Choices[0].Content != "a" || tr.Choices[1].Content != "bc" || tr.Choices[1].Finish != "length" {
		t.Errorf("%+v", tr)
	}
	if tr := adaptertest.Stream(a, stream(first, second), 100); tr.Err == nil {
		t.Error("one of two choices has no finish reason, and that is accepted")
	}
	if tr := adaptertest.Stream(a, stream(`{"choices":[{"index":64,"delta":{"content":"b"},"finish_reason":"stop"}]}`, second, done), 100); tr.Err != nil || len(tr.Choices) != 1 {
		t.Errorf("a choice too many: %+v", tr)
	}
}

func TestEndOfStream(t *testing.T) {
	a := adapter(t, endpoint("vllm", "m"))
	f := func(kind fault.Kind, chunks ...string) {
		t.Helper()
		tr := adaptertest.Stream(a, stream(chunks...), 100)
		if tr.Err == nil || tr.Err.Kind != kind {
			t.Errorf("%v: %v, want %v", chunks, tr.Err, kind)
		}
	}
	f(fault.Unavailable, done)
	f(fault.Unavailable, delta(`"content":"a"`), done)
	f(fault.Unavailable, delta(`"content":"a"`))
	f(fault.Unavailable, `{"choices":[{"index":0,"delta":{},"finish_reason":"abort"}]}`)
	f(fault.Overloaded, `{"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}`)
	f(fault.Unavailable, `{"choices":[{"index":0,"delta":{},"finish_reason":"stop","native_finish_reason":"network_error"}]}`)
	f(fault.RateLimit, `{"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"code":429,"message":"slow"}}]}`)
	f(fault.Unavailable, delta(`"content":"a"`), `{"error":{"message":"engine died","code":500}}`, done)
	f(fault.Unavailable, `{"object":"error","message":"gone","code":503000}`)
	if c := answer(t, "vllm", delta(`"content":"a"`), stop); c.Content != "a" {
		t.Errorf("EOF behind a finish reason: %+v", c)
	}
	if c := answer(t, "vllm", delta(`"content":"a"`), stop, delta(`"content":"b"`), stop, `{"error":null,"choices":[],"usage":null}`, done+" "); c.Content != "a" {
		t.Errorf("what follows a finish reason counts: %+v", c)
	}
	tr := adaptertest.Stream(a, []byte("data: "+delta(`"content":"a"`)+"\n\nerror: {\"code\":500,\"message\":\"slot failed\"}\n\n"), 10)
	if tr.Err == nil || tr.Err.Kind != fault.Unavailable || tr.Err.Message != "slot failed" {
		t.Errorf("error line: %v", tr.Err)
	}
}

func TestFinishReasons(t *testing.T) {
	for reason, want := range map[string]string{
		"stop": "stop", "end_turn": "stop", "length": "length", "model_context_window_exceeded": "length", "function_call": "tool_calls",
		"sensitive": "content_filter", "content_filter": "content_filter", "something new": "stop",
	} {
		c := answer(t, "zhipu", `{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"`+reason+`"}]}`, done)
		if c.Finish != want || c.Native != reason {
			t.Errorf("%s: %s, native %s", reason, c.Finish, c.Native)
		}
	}
}

func TestUsage(t *testing.T) {
	f := func(want chat.Usage, usages ...string) {
		t.Helper()
		chunks := []string{delta(`"content":"a"`), stop}
		for _, u := range usages {
			chunks = append(chunks, `{"choices":[],"usage":`+u+`}`)
		}
		tr := adaptertest.Stream(adapter(t, endpoint("vllm", "m")), stream(append(chunks, done)...), 100)
		if tr.Err != nil || tr.Usage != want {
			t.Errorf("%v: %+v, %v; want %+v", usages, tr.Usage, tr.Err, want)
		}
	}
	f(chat.Usage{Prompt: 3, Completion: 4}, `{"prompt_tokens":1,"completion_tokens":2}`, `{"prompt_tokens":3,"completion_tokens":4}`, `{"prompt_tokens":0,"completion_tokens":0}`, `null`, `7`)
	f(chat.Usage{Prompt: 3, Completion: 9, Reasoning: 5}, `{"prompt_tokens":3,"completion_tokens":4,"total_tokens":12,"completion_tokens_details":{"reasoning_tokens":5}}`)
	f(chat.Usage{Prompt: 3, Completion: 4, Reasoning: 5}, `{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"reasoning_tokens":5,"completion_tokens_details":null}`)
	f(chat.Usage{Prompt: 3, Completion: 4, CacheRead: 2, CacheWrite: 1}, `{"prompt_tokens":3,"completion_tokens":4,"cache_read_input_tokens":2,"cache_creation_input_tokens":1,"prompt_tokens_details":{"cached_tokens":0}}`)
	f(chat.Usage{Prompt: 3, Cost: "1e-05"}, `{"prompt_tokens":3,"completion_tokens":null,"cost":1e-05}`)
}

func TestReasoningUnderSeveralNames(t *testing.T) {
	f := func(members, want string) {
		t.Helper()
		if c := answer(t, "vllm", delta(members), stop, done); c.Reasoning != want {
			t.Errorf("%s: %q, want %q", members, c.Reasoning, want)
		}
	}
	f(`"reasoning":"a","reasoning_content":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}]`, "a")
	f(`"reasoning":"","reasoning_content":"a"`, "a")
	f(`"reasoning":null,"reasoning_content":"a"`, "a")
	f(`"reasoning_details":[{"type":"reasoning.text","text":"a\n"},{"type":"reasoning.summary","summary":"b"},{"type":"reasoning.encrypted","data":"c"}]`, "a\nb")
	f(`"reasoning":{"x":1}`, "")
}

// A plain chunk costs no memory once the buffers have grown.
func TestPlainChunksAllocateNothing(t *testing.T) {
	for _, s := range []codec.Settings{endpoint("vllm", "m"), endpoint("minimax", "MiniMax-M2"), endpoint("vllm", "Qwen3-Coder")} {
		d := adapter(t, s).Decoder()
		chunk := []byte(`{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":" \"word\""},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`)
		tool := []byte(`{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"f","arguments":"{\"a\""}}]}}]}`)
		events := make([]chat.Event, 0, 4)
		once := func() {
			var err error
			for _, data := range [][]byte{chunk, tool} {
				if events, err = d.Event(nil, data, events[:0]); err != nil {
					t.Fatal(err)
				}
			}
		}
		once()
		if n := testing.AllocsPerRun(100, once); n != 0 {
			t.Errorf("%s: %v allocations", s.Model, n)
		}
	}
}

func BenchmarkDecodeChunk(b *testing.B) {
	d := adapter(b, endpoint("vllm", "m")).Decoder()
	chunk := []byte(`{"id":"chatcmpl-bcfbe349402eb3d2","object":"chat.completion.chunk","created":1786479604,"model":"meta-llama/Llama-3.3-70B-Instruct","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null,"token_ids":null}]}`)
	events := make([]chat.Event, 0, 4)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if events, err = d.Event(nil, chunk, events[:0]); err != nil || len(events) != 1 {
			b.Fatal(err, len(events))
		}
	}
}

func FuzzDecoder(f *testing.F) {
	adaptertest.Fuzz(f, adapter(f, endpoint("openrouter", "vendor/m")), "openrouter")
}

func FuzzTexts(f *testing.F) {
	adaptertest.Fuzz(f, adapter(f, endpoint("minimax", "MiniMax-M2")), "minimax")
}

func TestThinkingParts(t *testing.T) {
	f := func(chunks ...string) {
		t.Helper()
		if c := answer(t, "openai_compat", chunks...); c.Reasoning != "hmm" || c.Content != "Hello you" {
			t.Errorf("%q, %q", c.Reasoning, c.Content)
		}
	}
	f(delta(`"content":[{"type":"thinking","thinking":[{"type":"text","text":"hmm"}]}]`), delta(`"content":[{"type":"text","text":"Hello"}]`), delta(`"content":" you"`), stop, done)
	f(delta(`"content":[{"type":"thinking","thinking":"hmm"},{"type":"text","text":"Hello you"}]`), stop, done)
	f(`{"id":"a","choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hmm"}]},{"type":"text","text":"Hello you"}]},"finish_reason":"stop"}]}`, done)
}

func TestLegacyFunctionCall(t *testing.T) {
	f := func(chunks ...string) {
		t.Helper()
		c := answer(t, "openai_compat", append(chunks, done)...)
		if len(c.Tools) != 1 || c.Tools[0].ID == "" || c.Tools[0].Name != "f" || c.Tools[0].Arguments != `{"a":1}` || c.Finish != "tool_calls" {
			t.Errorf("%+v", c)
		}
	}
	const finish = `{"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"function_call"}]}`
	f(delta(`"function_call":{"name":"f","arguments":""}`), delta(`"function_call":{"arguments":"{\"a\":"}`), delta(`"function_call":{"arguments":"1}"}`), finish)
	f(`{"id":"a","choices":[{"message":{"content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}},"finish_reason":"function_call"}]}`)
	f(delta(`"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":"{\"a\":1}"}}],"function_call":{"name":"f","arguments":"{\"a\":1}"}`), finish)
}

// A call of a tool of free text stays one, and its input may be empty.
func TestCustomCalls(t *testing.T) {
	f := func(want string, chunks ...string) {
		t.Helper()
		a := adapter(t, endpoint("openai_compat", "m"))
		d, got := a.Decoder(), ""
		for _, chunk := range append(chunks, stop, done) {
			events, err := d.Event(nil, []byte(chunk), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range events {
				for _, tool := range ev.Tools {
					got += fmt.Sprintf("%d %t %s %s %s; ", tool.Index, tool.Custom, tool.ID, tool.Name, tool.Arguments)
				}
			}
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	begin := delta(`"tool_calls":[{"index":0,"id":"1","type":"custom","custom":{"name":"g","input":""}}]`)
	f(`0 true "1" "g" ""; 0 true   "a \""; 0 true   "b"; `, begin, delta(`"tool_calls":[{"index":0,"custom":{"input":"a \""}}]`), delta(`"tool_calls":[{"index":0,"custom":{"input":"b"}}]`))
	f(`0 true "1" "g" ""; `, begin)
	f(`0 false "1" "g" ; 0 false   "{}"; `, delta(`"tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"g"},"custom":null}]`))
}
