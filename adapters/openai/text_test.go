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
	f("", "llama", "<think>hm</think>Yes", "", "<think>hm</think>Yes", "")
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
