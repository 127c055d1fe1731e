package openai

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/markup"
	"github.com/hybridinference/gateway/shared/wire"
)

// OpenAI is OpenAI itself and whoever follows it.
func OpenAI() Profile {
	return Profile{text: textAll, toolTypes: []string{"custom"}, choosesAmong: true, tune: func(p *Profile, s codec.Settings) {
		if thinksAloud(s.Model) {
			p.history = historyContent
		}
	}}
}

// Demo is the built-in model, which writes nothing but text, whatever it is called.
func Demo() Profile { return Profile{text: textPlain} }

// thinksAloud reports models that expect their earlier reasoning back, whoever
// serves them. OpenAI refuses the member, but serves none of these.
func thinksAloud(model string) bool {
	model = strings.ToLower(model)
	for _, name := range []string{"deepseek", "glm", "kimi", "minimax", "qwen"} {
		if strings.Contains(model, name) {
			return true
		}
	}
	return false
}

// VLLM serves whatever template the model has. Templates know the system role
// once, at the beginning, and decode the arguments of earlier calls.
func VLLM() Profile {
	return Profile{
		systemOnly: true, oneSystem: true, parsesCalls: true, mediaResults: true, thinking: thinkTemplate, history: historyBoth, text: textAll,
		prefill: `,"continue_final_message":true,"add_generation_prompt":false`,
		base:    wire.Traits{SystemMessages: "leading"},
	}
}

// SGLang is like vLLM, but takes earlier reasoning under one name.
func SGLang() Profile {
	p := VLLM()
	p.history = historyContent
	p.prefill = `,"continue_final_message":true`
	return p
}

// Ollama is its OpenAI-compatible API.
func Ollama() Profile {
	return Profile{
		systemOnly: true, noChoice: true, dataImages: true, mediaResults: true, base: wire.Traits{MaxTokensField: "max_tokens", SystemMessages: "leading"}, thinking: thinkPlain, history: historyPlain, text: textAll,
		drop: chat.SetOf(chat.N, chat.LogitBias, chat.User, chat.ParallelToolCalls, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty),
	}
}

// Chutes is vLLM or SGLang, depending on the model.
func Chutes() Profile {
	p := VLLM()
	p.prefill = ""
	p.phrases = chutesPhrases()
	return p
}

// Featherless is vLLM for any model of Hugging Face; it answers parameters
// that the model's server does not know with a 500.
func Featherless() Profile {
	p := VLLM()
	p.prefill, p.base.MaxTokensField = "", "max_tokens"
	p.drop = chat.SetOf(chat.N, chat.ParallelToolCalls, chat.Metadata, chat.ServiceTier, chat.Prediction, chat.Modalities, chat.Audio,
		chat.ImageConfig, chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity)
	p.phrases = featherlessPhrases()
	return p
}

// DeepSeek is the hosted API.
func DeepSeek() Profile {
	return Profile{
		systemOnly: true, thinking: thinkDeepSeek, history: historyRequired,
		base: wire.Traits{MaxTokensField: "max_tokens", Schema: "json_object", ForcedTools: "without_thinking"},
		drop: chat.SetOf(chat.N, chat.Seed, chat.LogitBias, chat.User, chat.Metadata, chat.ServiceTier, chat.Prediction, chat.Modalities,
			chat.Audio, chat.ImageConfig, chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity, chat.ParallelToolCalls,
			chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty),
		tune: func(p *Profile, s codec.Settings) {
			if strings.Contains(s.Model, "chat") {
				p.history = historyContent // the alias without thinking
			}
		},
	}
}

// Zhipu is Z.AI and open.bigmodel.cn.
func Zhipu() Profile {
	return Profile{
		unversioned: true, systemOnly: true, base: wire.Traits{MaxTokensField: "max_tokens", Schema: "json_object"}, oneStop: true, maxTemperature: 1, toolTypes: []string{"web_search", "retrieval"},
		thinking: thinkZhipu, history: historyContent,
		drop: chat.SetOf(chat.N, chat.Seed, chat.Logprobs, chat.TopLogprobs, chat.LogitBias, chat.FrequencyPenalty, chat.PresencePenalty,
			chat.User, chat.Metadata, chat.ServiceTier, chat.Prediction, chat.Modalities, chat.Audio, chat.ImageConfig,
			chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity, chat.ParallelToolCalls,
			chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty),
		codes: zhipuCodes(),
	}
}

// MiniMax is the hosted API.
func MiniMax() Profile {
	return Profile{
		systemOnly: true, base: wire.Traits{MaxTokensField: "max_completion_tokens"}, minTemperature: "0.01", maxTemperature: 1, fullTools: true, parsesCalls: true,
		noChoice: true, thinking: thinkMiniMax, history: historyTags,
		dialect: markup.Think | markup.MiniMax, family: "minimax",
		drop:  chat.SetOf(chat.N, chat.FrequencyPenalty, chat.PresencePenalty, chat.LogitBias, chat.ParallelToolCalls),
		codes: miniMaxCodes(),
		tune: func(p *Profile, s codec.Settings) {
			if strings.Contains(strings.ToLower(s.Model), "m2") {
				p.extra = `{"reasoning_split":true}` // newer models refuse it
			}
		},
	}
}

// OpenRouter speaks the gateway's own language. What the client set for routing
// is not passed on: the gateway has done that, and its names are others.
func OpenRouter() Profile {
	return Profile{
		keepParts: true, keepCache: true, ownImages: true, mediaResults: true, thinking: thinkObject, history: historyDetails, toolTypes: []string{"custom", "openrouter:"}, choosesAmong: true,
		base: wire.Traits{MaxTokensField: "as_sent", Sampling: "always", ForcedTools: "always", Schema: "json_schema", SystemMessages: "anywhere"},
		native: chat.SetOf(chat.Transforms, chat.Plugins, chat.Preset, chat.CacheControl, chat.StopServerToolsWhen, chat.Reasoning, chat.ReasoningEffort,
			chat.IncludeReasoning, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty, chat.Verbosity),
		extra: `{"usage":{"include":true}}`,
		tune: func(p *Profile, s codec.Settings) {
			if s.Slug != "" {
				p.route = `{"provider":{"order":["` + s.Slug + `"],"allow_fallbacks":false}}`
			}
		},
	}
}

// Groq follows OpenAI closely and refuses what it does not know.
func Groq() Profile {
	return Profile{
		systemOnly: true, strictMessages: true, thinking: thinkPlain, history: historyDrop,
		dialect: markup.Think, // its reasoning_format is raw unless it is asked for another
		drop: chat.SetOf(chat.N, chat.LogitBias, chat.Logprobs, chat.TopLogprobs, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty,
			chat.Prediction, chat.Modalities, chat.Audio, chat.ImageConfig, chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity, chat.Metadata),
	}
}
