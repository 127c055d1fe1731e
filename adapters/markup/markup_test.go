package markup_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/markup"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// parse takes text apart that comes in pieces of the given size, and joins
// what comes out: thoughts, text, calls.
func parse(d markup.Dialect, tools, text string, size int) string {
	p := markup.New(d, []byte(tools))
	var thought, answer, calls string
	take := func(pieces []markup.Piece) {
		for _, pc := range pieces {
			switch pc.Kind {
			case markup.Thought:
				thought += string(pc.Text)
			case markup.Text:
				answer += string(pc.Text)
			case markup.Call:
				calls += fmt.Sprintf(" %s%s(%s)", pc.ID, pc.Name, pc.Arguments)
			}
		}
	}
	for len(text) > 0 {
		n := min(size, len(text))
		take(p.Write([]byte(text[:n]), nil))
		text = text[n:]
	}
	take(p.Close(nil))
	return thought + "|" + answer + "|" + strings.TrimSpace(calls)
}

const tools = `[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"zip":{"type":"string"},"n":{"type":"integer"}}}}}]`

func TestParser(t *testing.T) {
	f := func(d markup.Dialect, in, want string) {
		t.Helper()
		for size := len(in) + 1; size > 0; size-- {
			if got := parse(d, tools, in, size); got != want {
				t.Fatalf("%q in pieces of %d:\n got %q\nwant %q", in, size, got, want)
			}
		}
	}
	const think, all = markup.Think, markup.Think | markup.GLM | markup.Qwen | markup.MiniMax
	f(think, "plain <b>text</b> <", "|plain <b>text</b> <|")
	f(think, "<think>\nhm\n</think>\n\nYes.\n", "hm|Yes.\n|")
	f(think, " \n<think>a\n\nb</think>c", "a\n\nb|c|")
	f(think, "<think>never closed \n", "never closed||")
	f(think, "<think>almost </thin", "almost </thin||")
	f(think, "<think></think>\n\nA", "|A|")
	f(think, "<think>\n\n</think>\n\n", "||")
	f(think, "<think>a</think>\n<think>b</think> c", "a\n\nb|c|")
	f(think, "The <think> tag opens a thought.", "|The <think> tag opens a thought.|")
	f(think, "  indented", "|  indented|")
	f(think, "<thin ice", "|<thin ice|")
	f(think, "  ", "|  |")
	f(think, "a <tool_call>f</tool_call>", "|a <tool_call>f</tool_call>|")

	f(markup.GLM, "Let me see.\n<tool_call>f\n<arg_key>zip</arg_key>\n<arg_value>0123</arg_value>\n<arg_key>n</arg_key>\n<arg_value>3</arg_value>\n</tool_call>\n", `|Let me see.|f({"zip":"0123","n":3})`)
	f(markup.GLM, "<tool_call>f</tool_call><tool_call>g<arg_key>o</arg_key><arg_value>{\"a\":[1]}</arg_value></tool_call>", `||f({}) g({"o":{"a":[1]}})`)
	f(markup.GLM, "<tool_call>g<arg_key>s</arg_key><arg_value>two words</arg_value></tool_call> after", `|after|g({"s":"two words"})`)
	f(markup.GLM, "<tool_call>f<arg_key>zip</arg_key>", "|<tool_call>f<arg_key>zip</arg_key>|")
	f(markup.GLM, "<tool_call>this is prose</tool_call>!", "|<tool_call>this is prose</tool_call>!|")
	f(markup.GLM, "a  \n\n b \n", "|a  \n\n b \n|")
	f(markup.GLM, "1 < 2 <tool", "|1 < 2 <tool|")
	f(all, "<think>I call.</think>\n<tool_call>f</tool_call>", `I call.||f({})`)

	f(markup.Qwen, "Ok\n\n<tool_call>\n<function=f>\n<parameter=zip>\n0123\n</parameter>\n<parameter=n>\n3\n</parameter>\n</function>\n</tool_call>", `|Ok|f({"zip":"0123","n":3})`)
	f(markup.Qwen, "<tool_call><function=f></function><function=g></function></tool_call>", `||f({}) g({})`)
	f(markup.Qwen, "<function=g>\n<parameter=text>\nline 1\nline \"2\"\n</parameter>\n</function>\n</tool_call>\ndone", `|done|g({"text":"line 1\nline \"2\""})`)
	f(markup.Qwen, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"n\": 3}}\n</tool_call>", `||f({"n": 3})`)
	f(markup.Qwen, "<tool_call>{\"name\": \"f\", \"arguments\": \"{\\\"n\\\":3}\"}</tool_call>", `||f({"n":3})`)
	f(markup.Qwen, "<tool_call>{broken</tool_call>", "|<tool_call>{broken</tool_call>|")
	f(markup.Qwen, "<function=f><parameter=n>3</function>", "|<function=f><parameter=n>3</function>|")

	f(markup.MiniMax, "<minimax:tool_call>\n<invoke name=\"f\">\n<parameter name=\"n\">3</parameter>\n</invoke>\n<invoke name=\"g\">\n</invoke>\n</minimax:tool_call>", `||f({"n":3}) g({})`)
	f(markup.MiniMax, "<minimax:tool_call>nothing</minimax:tool_call>", "|<minimax:tool_call>nothing</minimax:tool_call>|")
}

func TestCallsOfDeepSeekAndKimi(t *testing.T) {
	f := func(d markup.Dialect, in, want string) {
		t.Helper()
		for size := len(in) + 1; size > 0; size-- {
			if got := parse(d, tools, in, size); got != want {
				t.Fatalf("%q in pieces of %d:\n got %q\nwant %q", in, size, got, want)
			}
		}
	}
	const dsml = "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"f\">\n<｜DSML｜parameter name=\"zip\" string=\"true\">0123</｜DSML｜parameter>\n<｜DSML｜parameter name=\"n\" string=\"false\">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>"
	f(markup.DSML, "Let me look.\n\n"+dsml, `|Let me look.|f({"zip":"0123","n":3})`)
	f(markup.DSML, strings.ReplaceAll(dsml, "tool_calls", "function_calls"), `||f({"zip":"0123","n":3})`)
	f(markup.DSML, "<｜DSML｜tool_calls><｜DSML｜invoke name=\"f\"></｜DSML｜invoke><｜DSML｜invoke name=\"g\"><｜DSML｜parameter name=\"s\" string=\"true\">\n a </｜DSML｜parameter></｜DSML｜invoke></｜DSML｜tool_calls>", `||f({}) g({"s":"\n a "})`)
	f(markup.DSML, "<｜DSML｜tool_calls>nothing</｜DSML｜tool_calls>!", "|<｜DSML｜tool_calls>nothing</｜DSML｜tool_calls>!|")
	f(markup.DSML, "<｜DSML｜too", "|<｜DSML｜too|")
	f(markup.Think|markup.DSML, "<think>hm\n"+dsml+"\n</think>Done", `hm|Done|f({"zip":"0123","n":3})`)

	const call = `<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"n":3}<|tool_call_end|>`
	const section = "<|tool_calls_section_begin|>" + call + `<|tool_call_begin|>functions.g:1<|tool_call_argument_begin|><|tool_call_end|><|tool_calls_section_end|>`
	f(markup.Kimi, "I look. "+section, `|I look.|functions.f:0f({"n":3}) functions.g:1g({})`)
	f(markup.Kimi, "I look. "+call+" Yes.", `|I look.Yes.|functions.f:0f({"n":3})`)
	f(markup.Kimi, strings.Replace(call, "}", "", 1), "|"+strings.Replace(call, "}", "", 1)+"|")
	f(markup.Think|markup.Kimi, "<think>I must\n"+section+"</think>", `I must||functions.f:0f({"n":3}) functions.g:1g({})`)
	f(markup.Think|markup.Kimi, "<think>a "+section+" b</think>c", `ab|c|functions.f:0f({"n":3}) functions.g:1g({})`)
	f(markup.Think|markup.Kimi, "<think>a <|tool_call</think>c", `a <|tool_call|c|`)
	f(markup.Think|markup.Qwen, "<think>a <tool_call> tag</think>c", `a <tool_call> tag|c|`)
}

func TestThoughtsWithoutAnOpeningTag(t *testing.T) {
	f := func(d markup.Dialect, in, want string) {
		t.Helper()
		for size := len(in) + 1; size > 0; size-- {
			if got := parse(d, tools, in, size); got != want {
				t.Fatalf("%q in pieces of %d:\n got %q\nwant %q", in, size, got, want)
			}
		}
	}
	const closeOnly, opened = markup.Think | markup.CloseOnly, markup.Think | markup.Opened
	f(closeOnly, "let me see\n</think>\n\nAnswer", "let me see|Answer|")
	f(closeOnly, "<think>a</think>b </think> c", "a|b </think> c|")
	f(closeOnly, "a</think>b</think>c", "a|b</think>c|")
	f(closeOnly, "</think>c", "|c|")
	f(closeOnly, "no thoughts <b>at all</b>", "|no thoughts <b>at all</b>|")
	f(closeOnly|markup.GLM, "thinking..</think>Sure.<tool_call>f\n<arg_key>zip</arg_key>\n<arg_value>A</arg_value>\n</tool_call>", `thinking..|Sure.|f({"zip":"A"})`)
	f(closeOnly|markup.GLM, "Sure.<tool_call>f</tool_call> a </think>", `|Sure.a </think>|f({})`)
	f(markup.Think, "let me see</think>Answer", "|let me see</think>Answer|")
	f(opened, "let me see\n</think>\n\nAnswer", "let me see|Answer|")
	f(opened, "\n<think>\nlet me see</think>Answer", "let me see|Answer|")
	f(opened, "a <think> b</think>c</think>", "a <think> b|c</think>|")
	f(opened, "cut", "cut||")
	f(opened, "<thi", "<thi||")
}

// Text that may be a thought is not held back for ever, nor read again and again.
func TestEndlessThought(t *testing.T) {
	p := markup.New(markup.Think|markup.CloseOnly, nil)
	n := 0
	for range 100_000 {
		for _, pc := range p.Write([]byte("word and <word>, "), nil) {
			n += len(pc.Text)
		}
	}
	if n < 1<<19 {
		t.Errorf("%d bytes of text", n)
	}
}

// A call that never ends is text at last, and takes no time out of proportion.
func TestEndlessCall(t *testing.T) {
	p := markup.New(markup.GLM, nil)
	out := p.Write([]byte("<tool_call>"), nil)
	n := 0
	for range 100_000 {
		for _, pc := range p.Write([]byte("word and word, "), out[:0]) {
			n += len(pc.Text)
		}
	}
	for _, pc := range p.Close(nil) {
		n += len(pc.Text)
	}
	if want := len("<tool_call>") + 100_000*len("word and word, "); n != want {
		t.Errorf("%d bytes of text, want %d", n, want)
	}
}

func FuzzParser(f *testing.F) {
	f.Add("<think>a</think>b<tool_call>f<arg_key>k</arg_key><arg_value>v</arg_value></tool_call>", 3)
	f.Add("<tool_call><function=f><parameter=x>1</parameter></function></tool_call>", 5)
	f.Add("<think>a<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|></think>", 4)
	f.Add("a</think><｜DSML｜tool_calls><｜DSML｜invoke name=\"f\"><｜DSML｜parameter name=\"zip\" string=\"true\">R</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜tool_calls>", 4)
	f.Add("<minimax:tool_call><invoke name=\"f\"><parameter name=\"n\">3</parameter></invoke></minimax:tool_call>", 7)
	f.Fuzz(func(t *testing.T, in string, size int) {
		const all = markup.Think | markup.CloseOnly | markup.GLM | markup.Qwen | markup.MiniMax | markup.DSML | markup.Kimi
		whole := parse(all, tools, in, len(in)+1)
		if cut := parse(all, tools, in, min(max(size, 1), len(in)+1)); cut != whole {
			t.Fatalf("%q: cut into %d: %q, whole: %q", in, size, cut, whole)
		}
		for _, pc := range markup.New(all, nil).Write([]byte(in), nil) {
			if pc.Kind == markup.Call && rawjson.Valid(pc.Arguments) != nil {
				t.Fatalf("%q: arguments %q", in, pc.Arguments)
			}
		}
	})
}

// TestPasses: text that need not be taken apart is what would come out, and so is
// what comes behind it.
func TestPasses(t *testing.T) {
	const behind = "more <think>no thought</think>"
	passed := 0
	for _, d := range []markup.Dialect{markup.Think, markup.Think | markup.GLM, markup.CloseOnly, markup.Opened, markup.Reasoned} {
		for _, text := range []string{"word", "a b", " word", "\nword", "\u00a0", "日本", "\"", "~"} {
			p := markup.New(d, nil)
			if !p.Passes(text[0]) {
				continue
			}
			passed++
			got := ""
			for _, pc := range append(p.Write([]byte(behind), nil), p.Close(nil)...) {
				got += string(pc.Text)
			}
			if want := parse(d, "", text+behind, 100); "|"+text+got+"|" != want {
				t.Errorf("%v %q: %q instead of %q", d, text, text+got, want)
			}
		}
	}
	if passed != 3*4 { // four of the texts; not with CloseOnly or Opened, which may make a thought of them
		t.Errorf("%d texts passed", passed)
	}
	if markup.New(markup.CloseOnly, nil).Passes('w') || markup.New(markup.Opened, nil).Passes('w') {
		t.Error("text that may be a thought")
	}
}
