package traits_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestFamiliesAndVersions(t *testing.T) {
	f := func(model, want string) {
		t.Helper()
		tr := traits.Of(model)
		got := fmt.Sprintf("%s %s %s %s %s %s", tr.MaxTokensField, tr.Sampling, tr.Thinking, tr.ThinkingOff, tr.ForcedTools, strings.Join(tr.Efforts, ","))
		if got != want {
			t.Errorf("%s: %s, want %s", model, got, want)
		}
	}
	const five, bound = " never adaptive disabled without_thinking low,medium,high,xhigh,max", " never adaptive lowest_effort never low,medium,high,xhigh,max"
	f("claude-sonnet-5", five)
	f("anthropic/claude-haiku-5.5", five)
	f("claude-opus-4-8@20260528", five)
	f("claude-sonnet-5-5", " never adaptive between_tools never low,medium,high,xhigh,max")
	f("claude-sonnet-6", " never adaptive between_tools never low,medium,high,xhigh,max")
	f("claude-opus-5-5-20261101", bound)
	f("claude-fable-5-2", bound)
	f("claude-mythos", bound)
	f("claude-3-7-sonnet@20250219", " always budget  without_thinking ")
	f("claude-3-5-sonnet-v2@20241022", " always never  without_thinking ")
	f("claude-sonnet-4-5-20250929", " one_of budget  without_thinking ")
	f("claude-opus-4.6", " one_of budget_or_adaptive disabled without_thinking low,medium,high,max")
	f("gpt-6-luna", "max_completion_tokens without_thinking    none,low,medium,high,xhigh")
	f("gpt-4o-2024-08-06", "  never   ")
	f("gpt-4.1-mini", "  never   ")
	f("gpt-3.5-turbo", "  never   ")
	f("chatgpt-4o-latest", "  never   ")
	f("chatgpt-6-latest", "max_completion_tokens  never   ")
	f("openai/gpt-oss-120b", "   lowest_effort  low,medium,high")
	f("o4-mini", "max_completion_tokens never    low,medium,high")
	f("o5-pro", "max_completion_tokens never    low,medium,high")
	f("GLM-5.3", "   lowest_effort  low,medium,high,max")
	f("zai-org/GLM-6", "   lowest_effort  low,medium,high,max")
	f("glm-4.6", "     ")
	f("deepseek-ai/DeepSeek-V4-Pro", "     high,max")
	f("deepseek-v5-flash", "     high,max")
	f("deepseek-ai/DeepSeek-V3.2", "     ")
	f("deepseek-chat", "     high,max")
	f("gemini-3.8-flash", "  level   low,medium,high")
	f("gemini-4-flash-lite", "  level   low,medium,high")
	f("gemini-3.5-flash", "  level   minimal,low,medium,high")
	f("gemini-3-pro-preview", "  level   low,high")
	f("gemini-2.5-flash-lite-preview-06-17", "  budget   ")
	f("gemini-flash-latest", "  budget   ")
	f("gemini-2.0-flash", "  never   ")
	f("Qwen/Qwen3-32B", "     ")
	f("MiniMax-M3", "  adaptive disabled  ")
	f("MiniMax-M2.5", "  never   ")
}

func TestEveryTraitCanBeOverridden(t *testing.T) {
	all := wire.Traits{Efforts: []string{"low"}}
	for _, c := range traits.Cells() {
		*c.Of(&all) = c.Words[len(c.Words)-1]
	}
	if err := traits.Check(&all); err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"claude-sonnet-5-5", "gpt-6", "unheard-of"} {
		if got := traits.Of(model, nil, &all); fmt.Sprint(got) != fmt.Sprint(all) {
			t.Errorf("%s: %+v", model, got)
		}
	}
	if got := traits.Of("gpt-6", &wire.Traits{Sampling: "always"}, &wire.Traits{Sampling: "never"}); got.Sampling != "always" || got.MaxTokensField != "max_completion_tokens" {
		t.Errorf("%+v", got)
	}
	if err := traits.Check(&wire.Traits{ThinkingOff: "maybe"}); err == nil || err.Error() != `traits.thinking_off: must be one of disabled, between_tools, lowest_effort, got "maybe"` {
		t.Error(err)
	}
	if err := traits.Check(&wire.Traits{Efforts: []string{"huge"}}); err == nil {
		t.Error("an effort that does not exist passes")
	}
}

func TestNearest(t *testing.T) {
	f := func(known, effort, want string) {
		t.Helper()
		if got := traits.Nearest(strings.Fields(known), effort); got != want {
			t.Errorf("%s of %s: %s, want %s", effort, known, got, want)
		}
	}
	f("low medium high", "max", "high")
	f("low medium high", "minimal", "low")
	f("low medium high max", "xhigh", "max")
	f("none low medium high xhigh", "max", "xhigh")
	f("none low medium high xhigh", "minimal", "low")
	f("none low medium high xhigh", "none", "none")
	f("high max", "low", "high")
	f("high max", "xhigh", "max")
	f("low high", "medium", "high")
	f("minimal low", "none", "minimal")
	f("", "high", "")
}
