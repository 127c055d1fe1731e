package openai

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

// openAI is OpenAI itself and whoever follows it.
func openAI() profile {
	return profile{text: true, tune: func(p *profile, s codec.Settings) {
		if newOpenAI(s.Model) {
			p.maxField = "max_completion_tokens" // they refuse the old name
		}
		if thinksAloud(s.Model) {
			p.history = historyContent
		}
	}}
}

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

// newOpenAI reports OpenAI's own models since o1.
func newOpenAI(model string) bool {
	name := model[strings.LastIndexByte(model, '/')+1:]
	for _, prefix := range []string{"o1", "o3", "o4", "gpt-5"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// vllm serves whatever template the model has. Templates know the system role
// once, at the beginning, and decode the arguments of earlier calls.
func vllm() profile {
	return profile{
		systemOnly: true, oneSystem: true, parsesCalls: true, thinking: thinkTemplate, history: historyBoth, text: true,
		prefill: `,"continue_final_message":true,"add_generation_prompt":false`,
	}
}

func sglang() profile {
	p := vllm()
	p.history = historyContent
	p.prefill = `,"continue_final_message":true`
	return p
}

func ollama() profile {
	return profile{
		systemOnly: true, noChoice: true, dataImages: true, maxField: "max_tokens", thinking: thinkPlain, history: historyPlain, text: true,
		drop: chat.SetOf(chat.N, chat.LogitBias, chat.User, chat.ParallelToolCalls, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty),
	}
}

// chutes is vLLM or SGLang, depending on the model.
func chutes() profile {
	p := vllm()
	p.prefill = ""
	p.phrases = chutesPhrases()
	return p
}

// featherless is vLLM for any model of Hugging Face; it answers parameters
// that the model's server does not know with a 500.
func featherless() profile {
	p := vllm()
	p.prefill, p.maxField = "", "max_tokens"
	p.drop = chat.SetOf(chat.N, chat.ParallelToolCalls, chat.Metadata, chat.ServiceTier, chat.Prediction, chat.Modalities, chat.Audio,
		chat.ImageConfig, chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity)
	p.phrases = featherlessPhrases()
	return p
}

func deepSeek() profile {
	return profile{
		systemOnly: true, maxField: "max_tokens", schemaless: true, thinking: thinkDeepSeek, history: historyRequired,
		drop: chat.SetOf(chat.N, chat.Seed, chat.LogitBias, chat.User, chat.Metadata, chat.ServiceTier, chat.Prediction, chat.Modalities,
			chat.Audio, chat.ImageConfig, chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity, chat.ParallelToolCalls,
			chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty),
		tune: func(p *profile, s codec.Settings) {
			if strings.Contains(s.Model, "chat") {
				p.history = historyContent // the alias without thinking
			}
		},
	}
}

func zhipu() profile {
	return profile{
		unversioned: true, systemOnly: true, maxField: "max_tokens", schemaless: true, oneStop: true, maxTemperature: 1,
		thinking: thinkZhipu, history: historyContent,
		drop: chat.SetOf(chat.N, chat.Seed, chat.Logprobs, chat.TopLogprobs, chat.LogitBias, chat.FrequencyPenalty, chat.PresencePenalty,
			chat.User, chat.Metadata, chat.ServiceTier, chat.Prediction, chat.Modalities, chat.Audio, chat.ImageConfig,
			chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity, chat.ParallelToolCalls,
			chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty),
		codes: zhipuCodes(),
	}
}

func miniMax() profile {
	return profile{
		systemOnly: true, maxField: "max_completion_tokens", minTemperature: "0.01", maxTemperature: 1, fullTools: true, parsesCalls: true,
		noChoice: true, thinking: thinkNever, history: historyTags, text: true,
		drop:  chat.SetOf(chat.N, chat.FrequencyPenalty, chat.PresencePenalty, chat.LogitBias, chat.ParallelToolCalls),
		codes: miniMaxCodes(),
		tune: func(p *profile, s codec.Settings) {
			if strings.Contains(strings.ToLower(s.Model), "m2") {
				p.extra = `{"reasoning_split":true}` // newer models refuse it
			}
		},
	}
}

// openRouter speaks the gateway's own language. What it was told of routing
// is not passed on: the gateway has done that, and its names are others.
func openRouter() profile {
	return profile{
		keepParts: true, keepCache: true, thinking: thinkObject, history: historyDetails,
		native: chat.SetOf(chat.Transforms, chat.Plugins, chat.CacheControl, chat.StopServerToolsWhen, chat.Reasoning, chat.ReasoningEffort,
			chat.IncludeReasoning, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty, chat.Verbosity),
		extra:   `{"usage":{"include":true}}`,
		headers: []codec.Header{{Name: "X-Title", Value: "HybridInference"}},
		tune: func(p *profile, s codec.Settings) {
			if s.Slug != "" {
				p.route = `{"provider":{"order":["` + s.Slug + `"],"allow_fallbacks":false}}`
			}
		},
	}
}

// groq follows OpenAI closely and refuses what it does not know.
func groq() profile {
	return profile{
		systemOnly: true, strictMessages: true, thinking: thinkPlain, history: historyDrop,
		drop: chat.SetOf(chat.N, chat.LogitBias, chat.Logprobs, chat.TopLogprobs, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty,
			chat.Prediction, chat.Modalities, chat.Audio, chat.ImageConfig, chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity, chat.Metadata),
	}
}
