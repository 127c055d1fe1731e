package traits

import (
	"strconv"

	"github.com/hybridinference/gateway/shared/wire"
)

// row is what is known of a family's models from a version on.
type row struct {
	family string
	// variants narrow the row down to models with one of these words in their name.
	variants []string
	since    version
	wire.Traits
}

// find returns the first row that fits a model, nil if none does.
func find(model string) *row {
	table := [][]row{claude(), gemini(), openAI(), reasoners(), deepSeek(), others()}
	for _, rows := range table {
		for i := range rows {
			r := &rows[i]
			list, ok := words(model, r.family)
			if ok && has(list, r.variants) && versionOf(list).atLeast(r.since) {
				return r
			}
		}
	}
	return nil
}

func low2max() []string   { return []string{"low", "medium", "high", "max"} }
func low2xhigh() []string { return []string{"low", "medium", "high", "xhigh", "max"} }

// claude has the rows of Anthropic's models, newest first.
func claude() []row {
	bound := wire.Traits{
		Thinking: "adaptive", ThinkingDefault: "on", ThinkingOff: "lowest_effort", Efforts: low2xhigh(), Sampling: "never",
		ForcedTools: "never", Schema: "json_schema", Prefill: "no", SystemMessages: "anywhere", ThinkingBinding: "yes",
	}
	between, tireless, five := bound, bound, bound
	between.ThinkingOff = "between_tools"
	tireless.ThinkingBinding = "no"
	five.ThinkingOff, five.ForcedTools, five.ThinkingBinding = "disabled", "without_thinking", "no"
	eight := five
	eight.ThinkingDefault = "off"
	seven := eight
	seven.SystemMessages = "leading"
	six := seven
	six.Thinking, six.Efforts, six.Sampling = "budget_or_adaptive", low2max(), "one_of"
	budget := wire.Traits{
		Thinking: "budget", ThinkingDefault: "off", Sampling: "one_of", ForcedTools: "without_thinking", Schema: "json_schema", Prefill: "yes", SystemMessages: "leading",
	}
	opus45 := budget
	opus45.Efforts = []string{"low", "medium", "high"}
	older := budget
	older.Schema = "none"
	both := older
	both.Sampling = "always"
	plain := both
	plain.Thinking = "never"
	restless := []string{"fable", "mythos"}
	return []row{
		{"claude", []string{"sonnet"}, version{5, 5}, between},
		{"claude", []string{"opus"}, version{5, 5}, bound},
		{"claude", restless, version{5, 1}, bound},
		{"claude", restless, version{0, 0}, tireless},
		{"claude", nil, version{1 << 30, 0}, both}, // a name without a version
		{"claude", nil, version{5, 0}, five},
		{"claude", nil, version{4, 8}, eight},
		{"claude", nil, version{4, 7}, seven},
		{"claude", nil, version{4, 6}, six},
		{"claude", []string{"opus"}, version{4, 5}, opus45},
		{"claude", nil, version{4, 5}, budget},
		{"claude", nil, version{4, 1}, older},
		{"claude", nil, version{3, 7}, both},
		{"claude", nil, version{0, 0}, plain},
	}
}

// gemini has the rows of Google's models, newest first. All of them think, and
// from the third generation on it cannot be turned off.
func gemini() []row {
	level := func(efforts ...string) wire.Traits { return wire.Traits{Thinking: "level", Efforts: efforts} }
	return []row{
		{"gemini", nil, version{1 << 30, 0}, wire.Traits{Thinking: "budget"}}, // takes what all generations take
		{"gemini", nil, version{3, 7}, level("low", "medium", "high")},
		{"gemini", []string{"pro"}, version{3, 1}, level("low", "medium", "high")},
		{"gemini", []string{"pro"}, version{3, 0}, level("low", "high")},
		{"gemini", nil, version{3, 0}, level("minimal", "low", "medium", "high")},
		{"gemini", nil, version{2, 5}, wire.Traits{Thinking: "budget"}},
		{"gemini", nil, version{0, 0}, wire.Traits{Thinking: "never"}},
	}
}

// openAI has the rows of OpenAI's models, newest first.
func openAI() []row {
	newer := func(sampling string, efforts ...string) wire.Traits {
		return wire.Traits{MaxTokensField: "max_completion_tokens", Sampling: sampling, Efforts: efforts}
	}
	return []row{
		{"gpt-oss", nil, version{0, 0}, wire.Traits{Efforts: []string{"low", "medium", "high"}, ThinkingDefault: "on", ThinkingOff: "lowest_effort"}},
		{"gpt", nil, version{5, 2}, newer("without_thinking", "none", "low", "medium", "high", "xhigh")},
		{"gpt", nil, version{5, 1}, newer("without_thinking", "none", "low", "medium", "high")},
		{"gpt", nil, version{5, 0}, newer("never", "minimal", "low", "medium", "high")},
		{"gpt", nil, version{0, 0}, wire.Traits{Thinking: "never"}},
		{"chatgpt", nil, version{5, 0}, wire.Traits{MaxTokensField: "max_completion_tokens", Thinking: "never"}},
		{"chatgpt", nil, version{0, 0}, wire.Traits{Thinking: "never"}},
	}
}

// reasoners has the rows of OpenAI's o-series, those to come included.
func reasoners() (rows []row) {
	for generation := range 9 {
		rows = append(rows, row{"o" + strconv.Itoa(generation+1), nil, version{0, 0}, wire.Traits{
			MaxTokensField: "max_completion_tokens", Sampling: "never", Efforts: []string{"low", "medium", "high"},
		}})
	}
	return rows
}

// deepSeek has the rows of DeepSeek's models. chat and reasoner are names of the
// current one without and with thinking.
func deepSeek() []row {
	levels := []string{"high", "max"}
	return []row{
		{"deepseek", []string{"chat"}, version{0, 0}, wire.Traits{Efforts: levels, ThinkingDefault: "off"}},
		{"deepseek", []string{"reasoner"}, version{0, 0}, wire.Traits{Efforts: levels, ThinkingDefault: "on"}},
		{"deepseek", nil, version{4, 0}, wire.Traits{Efforts: levels, ThinkingDefault: "on"}},
	}
}

// others has the rows of the other families.
func others() []row {
	return []row{
		{"glm", nil, version{5, 3}, wire.Traits{Efforts: low2max(), ThinkingDefault: "on", ThinkingOff: "lowest_effort"}},
		{"glm", nil, version{5, 0}, wire.Traits{Efforts: []string{"low", "medium", "high"}, ThinkingDefault: "on", ThinkingOff: "disabled"}},
		{"grok", []string{"20"}, version{4, 20}, wire.Traits{Thinking: "never"}}, // 4.2.0
		{"grok", nil, version{4, 3}, wire.Traits{Efforts: []string{"low", "medium", "high"}, ThinkingDefault: "on", ThinkingOff: "lowest_effort"}},
		{"grok", nil, version{4, 0}, wire.Traits{Thinking: "never"}},
		{"grok", []string{"mini"}, version{3, 0}, wire.Traits{Efforts: []string{"low", "high"}, ThinkingDefault: "on", ThinkingOff: "lowest_effort"}},
		{"grok", nil, version{0, 0}, wire.Traits{Thinking: "never"}},
		// Templates from 3.5 on refuse any other system message than the first.
		{"qwen", nil, version{0, 0}, wire.Traits{SystemMessages: "leading"}},
		{"minimax", nil, version{3, 0}, wire.Traits{Thinking: "adaptive", ThinkingDefault: "on", ThinkingOff: "disabled"}},
		{"minimax", nil, version{0, 0}, wire.Traits{Thinking: "never", ThinkingDefault: "on"}},
	}
}
