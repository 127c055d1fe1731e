package completions

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
)

func head() api.Head {
	return api.Head{ID: "gen-1-a", Created: 5, Model: "m", Provider: "vLLM"}
}

func total() *api.Total {
	return &api.Total{Usage: chat.Usage{Prompt: 3, Completion: 2, Reasoning: 1, CacheRead: 1}, Cost: "0.000001", PromptCost: "0.0000004", CompletionCost: "0.0000006"}
}

// stream writes events as a client would get them.
func streamed(o options, events ...chat.Event) string {
	var c stream
	c.Reset(o)
	c.Begin(head())
	for i := range events {
		c.Event(&events[i])
	}
	c.End(total())
	return string(c.buf)
}

const prefix = `data: {"id":"gen-1-a","object":"chat.completion.chunk","created":5,"model":"m","provider":"vLLM","choices":[`

func TestStreams(t *testing.T) {
	f := func(name, got string, want ...string) {
		t.Helper()
		chunks := strings.Split(strings.TrimSuffix(got, "\n\n"), "\n\n")
		if n := len(chunks); n != len(want)+2 || chunks[n-1] != "data: [DONE]" || !strings.Contains(chunks[n-2], `"choices":[],"usage":{"prompt_tokens":3,`) {
			t.Fatalf("%s: %d chunks:\n%s", name, len(chunks), got)
		}
		for i, w := range want {
			rest, ok := strings.CutPrefix(chunks[i], prefix)
			if !ok || strings.TrimSuffix(rest, "]}") != w {
				t.Errorf("%s: chunk %d is\n%s, want\n%s", name, i, chunks[i], w)
			}
		}
		for _, chunk := range chunks[:len(chunks)-1] {
			if !json.Valid([]byte(strings.TrimPrefix(chunk, "data: "))) {
				t.Errorf("%s: not JSON: %s", name, chunk)
			}
		}
	}
	text := func(s string) chat.Event { return chat.Event{Content: chat.Literal(s)} }
	stop := chat.Event{Finish: chat.FinishStop, Native: chat.Literal(`"end_turn"`)}
	const plain = `"finish_reason":null,"native_finish_reason":null}`
	f("text", streamed(options{}, text(`""`), text(`"a"`), text(`"b\n"`), stop, stop),
		`{"index":0,"delta":{"role":"assistant","content":"a"},`+plain,
		`{"index":0,"delta":{"content":"b\n"},`+plain,
		`{"index":0,"delta":{"content":""},"finish_reason":"stop","native_finish_reason":"end_turn"}`)
	f("a forgotten finish", streamed(options{}, text(`"a"`)),
		`{"index":0,"delta":{"role":"assistant","content":"a"},`+plain,
		`{"index":0,"delta":{"content":""},"finish_reason":"stop","native_finish_reason":null}`)
	f("nothing at all", streamed(options{}), `{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":null}`)
	tool := chat.Event{Tools: []chat.ToolDelta{{Index: 0, ID: chat.Literal(`"c1"`), Name: chat.Literal(`"f"`)}, {Index: 1, Arguments: chat.Literal(`"{}"`)}}}
	f("tools", streamed(options{}, tool),
		`{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}},{"index":1,"type":"function","function":{"arguments":"{}"}}]},`+plain,
		`{"index":0,"delta":{"content":""},"finish_reason":"tool_calls","native_finish_reason":null}`)
	thought := chat.Event{Reasoning: chat.Literal(`"hm"`), Details: []byte(`[{"type":"reasoning.text","text":"hm"},{"type":"reasoning.encrypted","data":"x"}]`)}
	f("reasoning", streamed(options{alias: true}, thought, stop),
		`{"index":0,"delta":{"role":"assistant","content":"","reasoning":"hm","reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"},{"type":"reasoning.encrypted","data":"x"}]},`+plain,
		`{"index":0,"delta":{"content":""},"finish_reason":"stop","native_finish_reason":"end_turn"}`)
	f("hidden reasoning", streamed(options{hideReasoning: true}, thought, stop),
		`{"index":0,"delta":{"role":"assistant","content":"","reasoning_details":[{"type":"reasoning.encrypted","data":"x"}]},`+plain,
		`{"index":0,"delta":{"content":""},"finish_reason":"stop","native_finish_reason":"end_turn"}`)
	legacy := strings.ReplaceAll(streamed(options{legacy: true}, text(`"a"`), stop), `"object":"text_completion"`, `"object":"chat.completion.chunk"`)
	f("legacy", legacy, `{"index":0,"text":"a",`+plain, `{"index":0,"text":"","finish_reason":"stop","native_finish_reason":"end_turn"}`)
	f("two choices", streamed(options{}, chat.Event{Choice: 1, Content: chat.Literal(`"b"`)}, chat.Event{Content: chat.Literal(`"a"`), Finish: chat.FinishLength}),
		`{"index":1,"delta":{"role":"assistant","content":"b"},`+plain,
		`{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":"length","native_finish_reason":null}`,
		`{"index":1,"delta":{"content":""},"finish_reason":"stop","native_finish_reason":null}`)
}

func TestAStreamThatBreaks(t *testing.T) {
	f := func(finished bool, choices string) {
		t.Helper()
		var c stream
		c.Reset(options{})
		c.Begin(head())
		ev := chat.Event{Content: chat.Literal(`"a"`)}
		if finished {
			ev.Finish = chat.FinishLength
		}
		c.Event(&ev)
		c.buf = c.buf[:0]
		c.Fail(&problem.Problem{Status: 502, Type: "provider_unavailable", Message: "gone", Provider: "vLLM"})
		want := `data: {"error":{"code":502,"message":"gone","metadata":{"error_type":"provider_unavailable","provider_name":"vLLM"}},"id":"gen-1-a","object":"chat.completion.chunk","created":5,"model":"m","provider":"vLLM","choices":[` + choices + "]}\n\ndata: [DONE]\n\n"
		if string(c.buf) != want {
			t.Errorf("got %s, want %s", c.buf, want)
		}
	}
	f(false, `{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"error","native_finish_reason":null}`)
	f(true, "")
}

func TestUnaryAnswers(t *testing.T) {
	var a answer
	events := []chat.Event{
		{Content: chat.Literal(`"a\u00e9"`), Reasoning: chat.Literal(`"r1"`), Fingerprint: chat.Literal(`"fp"`), Details: []byte(`[{"a":1}]`), Tools: []chat.ToolDelta{{ID: chat.Literal(`"c"`), Name: chat.Literal(`"f"`), Arguments: chat.Literal(`"{\"x\""`)}}},
		{Content: chat.Literal(`"b"`), Reasoning: chat.Literal(`"r2"`), Details: []byte(`[{"b":2}]`), Tools: []chat.ToolDelta{{Arguments: chat.Literal(`":1}"`)}}},
		{Finish: chat.FinishToolCalls, Native: chat.Literal(`"tool_use"`)},
	}
	for i := range events {
		a.Event(&events[i])
	}
	got := string(a.Append(nil, head(), total(), options{}))
	want := `{"id":"gen-1-a","object":"chat.completion","created":5,"model":"m","provider":"vLLM","system_fingerprint":"fp","choices":[{"index":0,"logprobs":null,"finish_reason":"tool_calls","native_finish_reason":"tool_use",` +
		`"message":{"role":"assistant","content":"a\u00e9b","refusal":null,"reasoning":"r1r2","reasoning_details":[{"a":1},{"b":2}],"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]}}],"usage":`
	if !strings.HasPrefix(got, want) || !json.Valid([]byte(got)) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	a.Reset()
	a.Event(&chat.Event{Finish: chat.FinishContentFilter})
	if got := string(a.Append(nil, head(), total(), options{})); !strings.Contains(got, `"message":{"role":"assistant","content":"","refusal":null,"reasoning":null}`) {
		t.Errorf("an answer without content: %s", got)
	}
}

func BenchmarkChunk(b *testing.B) {
	var c stream
	c.Reset(options{alias: true})
	c.Begin(head())
	ev := chat.Event{Content: chat.Literal(`" hello"`)}
	b.ReportAllocs()
	for b.Loop() {
		c.buf = c.buf[:0]
		c.Event(&ev)
	}
}
