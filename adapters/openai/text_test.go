package openai_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Markup in the text gives the same answer streamed, in chunks of any size,
// and whole.
func TestMarkup(t *testing.T) {
	f := func(processor, model, text, reasoning, content, tools string) {
		t.Helper()
		s := endpoint("vllm", model)
		s.Processor = processor
		a := adapter(t, s)
		check := func(how string, tr *adaptertest.Transcript) {
			t.Helper()
			if tr.Err != nil || len(tr.Choices) != 1 {
				t.Fatalf("%s: %v", how, tr.Err)
			}
			want := "stop"
			if tools != "" {
				want = "tool_calls"
			}
			c := tr.Choices[0]
			got := calls(c)
			if c.Reasoning != reasoning || c.Content != content || !strings.HasSuffix(got, tools) || (got == "") != (tools == "") || c.Finish != want {
				t.Errorf("%s, %s: reasoning %q, content %q, calls %q, %s", text, how, c.Reasoning, c.Content, got, c.Finish)
			}
		}
		literal := string(rawjson.AppendString(nil, text))
		check("whole", adaptertest.Body(a, []byte(`{"id":"a","choices":[{"message":{"content":`+literal+`},"finish_reason":"stop"}]}`)))
		escaped := strings.ReplaceAll(strings.ReplaceAll(literal, "<", `\u003c`), ">", `\u003E`)
		check("escaped", adaptertest.Body(a, []byte(`{"id":"a","choices":[{"message":{"content":`+escaped+`},"finish_reason":"stop"}]}`)))
		for size := 1; size <= len(text); size++ {
			var chunks []string
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				chunks = append(chunks, delta(`"content":`+string(rawjson.AppendString(nil, rest[:n]))))
				rest = rest[n:]
			}
			check("in chunks", adaptertest.Stream(a, stream(append(chunks, stop, done)...), 4000))
		}
	}
	f("think_block", "m", "<think>\nhm \"x\"\n</think>\n\nYes", `hm "x"`, "Yes", "")
	f("think_block", "m", "<think>\nhm", "hm", "", "")
	f("glm", "m", "<think>hm</think>So:\n<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>", "hm", "So:", `f{"a":1}`)
	f("", "Qwen/Qwen3-Coder-30B", "So:\n<tool_call>\n<function=f>\n<parameter=a>\nx y\n</parameter>\n</function>\n</tool_call>", "", "So:", `f{"a":"x y"}`)
	f("", "MiniMaxAI/MiniMax-M2", "<think>\nhm\n</think>\n\n<minimax:tool_call>\n<invoke name=\"f\">\n</invoke>\n</minimax:tool_call>", "hm", "", `f{}`)
	f("default", "MiniMaxAI/MiniMax-M2", "<think>hm</think>Yes", "", "<think>hm</think>Yes", "")
	f("", "llama", "<think>hm</think>Yes", "hm", "Yes", "")
	f("", "llama", "A <think> tag", "", "A <think> tag", "")
	f("", "Qwen/Qwen3-8B", "<think>\n\n</think>\n\nSo:\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>", "", "So:", `f{"a": 1}`)
	f("", "zai-org/GLM-5.1", "<think>hm</think>\n<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>", "hm", "", `f{"a":1}`)
	f("", "deepseek-ai/DeepSeek-R1", "hm\n</think>\n\nYes", "hm", "Yes", "")
	f("", "Qwen/Qwen3-30B-A3B-Thinking-2507", "No thought", "", "No thought", "")
	f("glm", "m", "plain \ntext\n ", "", "plain \ntext\n ", "")
}

// The tools that the request declares decide about the types of arguments.
func TestMarkupKnowsTheTools(t *testing.T) {
	s := endpoint("vllm", "m")
	s.Processor = "glm"
	var r chat.Request
	request := `{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"zip":{"type":"string"}}}}}]}`
	if err := r.Parse([]byte(request)); err != nil {
		t.Fatal(err)
	}
	body := `{"id":"a","choices":[{"message":{"content":"<tool_call>f<arg_key>zip</arg_key><arg_value>123</arg_value></tool_call>"},"finish_reason":"stop"}]}`
	for d, want := range map[codec.Decoder]string{
		codec.DecoderFor(adapter(t, s), &r): `f{"zip":"123"}`,
		adapter(t, s).Decoder():             `f{"zip":123}`,
	} {
		events, err := d.Body([]byte(body), nil)
		if err != nil {
			t.Fatal(err)
		}
		var a adaptertest.Answer
		a.Add(events...)
		if got := calls(a.Choices[0]); !strings.HasSuffix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// both reads the same answer streamed, cut at every byte of its text, and whole.
func both(t *testing.T, s codec.Settings, member, text string, check func(adaptertest.Choice)) {
	t.Helper()
	lit := func(b string) string { return string(rawjson.AppendString(nil, b)) }
	for cut := range text {
		tr := adaptertest.Stream(adapter(t, s), stream(delta(`"role":"assistant"`), delta(`"`+member+`":`+lit(text[:cut])), delta(`"`+member+`":`+lit(text[cut:])), stop, done), 1000)
		if tr.Err != nil || len(tr.Choices) != 1 {
			t.Fatalf("cut at %d: %v", cut, tr.Err)
		}
		check(tr.Choices[0])
	}
	events, err := adapter(t, s).Decoder().Body([]byte(`{"id":"a","choices":[{"message":{"`+member+`":`+lit(text)+`},"finish_reason":"stop"}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var a adaptertest.Answer
	a.Add(events...)
	check(a.Choices[0])
}

func TestMarkupByModel(t *testing.T) {
	f := func(model, processor, member, text, want string) {
		t.Helper()
		s := endpoint("vllm", model)
		s.Processor = processor
		both(t, s, member, text, func(c adaptertest.Choice) {
			t.Helper()
			if got := c.Reasoning + "|" + c.Content + "|" + calls(c) + "|" + c.Finish; got != want {
				t.Fatalf("%s %s: %s, want %s", model, processor, got, want)
			}
		})
	}
	const kimi = `<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"n":3}<|tool_call_end|><|tool_calls_section_end|>`
	f("moonshotai/Kimi-K2-Thinking", "", "reasoning_content", "I look. "+kimi, `I look.||functions.f:0 f{"n":3}|tool_calls`)
	f("moonshotai/Kimi-K2-Thinking", "", "content", "I look. "+kimi, `|I look.|functions.f:0 f{"n":3}|tool_calls`)
	f("Qwen/Qwen3-32B", "think_block", "content", "let me see\n</think>\n\nAnswer", "let me see|Answer||stop")
	f("Qwen/QwQ-32B", "think_open", "content", "let me see\n</think>\n\nAnswer", "let me see|Answer||stop")
	f("Qwen/Qwen3-32B", "", "content", "let me see\n</think>\n\nAnswer", "|let me see\n</think>\n\nAnswer||stop")
}

func TestDeepSeekMarkup(t *testing.T) {
	const dsml = "Let me look.\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"city\" string=\"true\">Rome</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>"
	both(t, endpoint("vllm", "deepseek-ai/DeepSeek-V4-Flash"), "content", dsml, func(c adaptertest.Choice) {
		if len(c.Tools) != 1 || c.Tools[0].Name != "f" || c.Tools[0].Arguments != `{"city":"Rome"}` || c.Content != "Let me look." || c.Finish != "tool_calls" {
			t.Fatalf("%+v", c)
		}
	})
}

// Tokens of the model's own are found behind any server, tags of ordinary text
// only for requests with tools, which other clients may have asked for.
func TestMarkupByKindAndRequest(t *testing.T) {
	const (
		kimi = `<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"n":3}<|tool_call_end|><|tool_calls_section_end|>`
		qwen = `<tool_call>{"name":"f","arguments":{"n":3}}</tool_call>`
		tool = `,"tools":[{"type":"function","function":{"name":"f"}}]`
		on   = `,"reasoning":{"enabled":true}`
	)
	for _, c := range []struct{ kind, model, request, text, want string }{
		{"moonshot", "kimi-k2-thinking", tool, kimi, `||f{"n":3}`},
		{"openrouter", "moonshotai/kimi-k2-thinking", tool, kimi, `||f{"n":3}`},
		{"deepseek", "deepseek-v4-flash", tool, "<think>a</think>b", `|<think>a</think>b|`},
		{"groq", "qwen/qwen3-32b", tool, "<think>a</think>b", `a|b|`},
		{"vllm", "Qwen/Qwen3-8B", tool, qwen, `||f{"n":3}`},
		{"vllm", "Qwen/Qwen3-8B", "", qwen, "|" + qwen + "|"},
		{"vllm", "Qwen/Qwen3.5-9B", on, "a</think>b", "a|b|"},
		{"vllm", "Qwen/Qwen3.5-9B", "", "a</think>b", "|a</think>b|"},
		{"vllm", "llama", on, "a</think>b", "|a</think>b|"},
		{"ollama", "qwen3.5", on, "a</think>b", "|a</think>b|"},
	} {
		var r chat.Request
		if err := r.Parse([]byte(`{"messages":[{"role":"user","content":"x"}]` + c.request + `}`)); err != nil {
			t.Fatal(err)
		}
		s := endpoint(c.kind, c.model)
		s.Params |= chat.SetOf(chat.Reasoning)
		body := `{"id":"a","choices":[{"message":{"content":` + string(rawjson.AppendString(nil, c.text)) + `},"finish_reason":"stop"}]}`
		events, err := codec.DecoderFor(adapter(t, s), &r).Body([]byte(body), nil)
		if err != nil {
			t.Fatal(err)
		}
		var a adaptertest.Answer
		a.Add(events...)
		got := a.Choices[0]
		call := ""
		for _, t := range got.Tools {
			call += t.Name + t.Arguments
		}
		if text := got.Reasoning + "|" + got.Content + "|" + call; text != c.want {
			t.Errorf("%s, %s, %s: %s, want %s", c.kind, c.model, c.text, text, c.want)
		}
	}
}

// A server that parses reasoning itself leaves nothing to wait for.
func TestReasoningApartNoWaiting(t *testing.T) {
	for _, processor := range []string{"", "think_block", "think_open"} {
		s := endpoint("vllm", "deepseek-ai/DeepSeek-R1")
		s.Processor = processor
		d := adapter(t, s).Decoder()
		var a adaptertest.Answer
		for _, data := range []string{delta(`"reasoning":"hm"`), delta(`"content":"Ye"`)} {
			events, err := d.Event(nil, []byte(data), nil)
			if err != nil {
				t.Fatal(err)
			}
			a.Add(events...)
		}
		if len(a.Choices) != 1 || a.Choices[0].Reasoning != "hm" || a.Choices[0].Content != "Ye" {
			t.Errorf("%q: %+v", processor, a.Choices)
		}
	}
}

// Without a request for reasoning there is nothing to wait for.
func TestNoThoughtNoWaiting(t *testing.T) {
	s := endpoint("vllm", "Qwen/Qwen3-32B")
	s.Processor = "think_block"
	var r chat.Request
	if err := r.Parse([]byte(`{"messages":[{"role":"user","content":"x"}],"reasoning":{"enabled":false}}`)); err != nil {
		t.Fatal(err)
	}
	events, err := codec.DecoderFor(adapter(t, s), &r).Event(nil, []byte(delta(`"content":"Yes"`)), nil)
	if err != nil || len(events) != 1 || string(events[0].Content) != `"Yes"` {
		t.Errorf("%v %+v", err, events)
	}
}
