package openai

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// Mistral is the hosted API. It refuses members that it does not know, in
// requests and messages alike, and calls whose id is not one of its own.
func Mistral() Profile {
	return Profile{
		systemOnly: true, strictMessages: true, shortIDs: true, usageUnasked: true, parsesCalls: true, answersResults: true, seed: "random_seed",
		thinking: thinkPlain, history: historyDrop, prefillMessage: `,"prefix":true`,
		base: wire.Traits{MaxTokensField: "max_tokens", SystemMessages: "leading", Efforts: []string{"none", "high"}},
		drop: chat.SetOf(chat.User, chat.LogitBias, chat.Logprobs, chat.TopLogprobs, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty,
			chat.ServiceTier, chat.Modalities, chat.Audio, chat.ImageConfig, chat.WebSearchOptions, chat.Verbosity),
		tune: func(p *Profile, s codec.Settings) {
			if strings.Contains(strings.ToLower(s.Model), "magistral") {
				p.base.Thinking = "never" // it always thinks, and takes no effort
			}
		},
	}
}

// XAI is the hosted API. Its models refuse penalties, and those that think stop
// words, too.
func XAI() Profile {
	return Profile{
		systemOnly: true, thinking: thinkEffort, history: historyContent,
		drop: chat.SetOf(chat.LogitBias, chat.FrequencyPenalty, chat.PresencePenalty, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty,
			chat.Prediction, chat.Modalities, chat.Audio, chat.ImageConfig, chat.WebSearchOptions, chat.Verbosity, chat.Metadata),
		phrases: []phrase{
			{400, "incorrect api key", fault.Authentication},
			{403, "credits", fault.Payment},
			{429, "credits", fault.Payment},
		},
		tune: func(p *Profile, s codec.Settings) {
			if !strings.Contains(strings.ToLower(s.Model), "non-reasoning") {
				p.drop |= chat.SetOf(chat.Stop)
			}
		},
	}
}

// Together is the hosted API.
func Together() Profile {
	return Profile{
		systemOnly: true, thinking: thinkPlain, history: historyPlain, text: textAll, base: wire.Traits{MaxTokensField: "max_tokens"},
		drop: chat.SetOf(chat.User, chat.ServiceTier, chat.Prediction, chat.Modalities, chat.Audio, chat.ImageConfig, chat.WebSearchOptions,
			chat.PromptCacheKey, chat.Verbosity, chat.Metadata, chat.ParallelToolCalls, chat.TopA),
	}
}

// Fireworks is the hosted API.
func Fireworks() Profile {
	return Profile{
		systemOnly: true, thinking: thinkPlain, history: historyContent, text: textAll, base: wire.Traits{MaxTokensField: "max_tokens"},
		drop:    chat.SetOf(chat.Modalities, chat.Audio, chat.ImageConfig, chat.WebSearchOptions, chat.Verbosity, chat.TopA),
		phrases: []phrase{{412, "suspended", fault.Payment}},
	}
}

// Moonshot is the hosted API. Its thinking models take no sampling, no forced
// tools, and want their reasoning back with every call.
func Moonshot() Profile {
	return Profile{
		systemOnly: true, thinking: thinkSwitch, history: historyContent, prefillMessage: `,"partial":true`,
		base: wire.Traits{MaxTokensField: "max_completion_tokens"}, maxTemperature: 1,
		drop: chat.SetOf(chat.Seed, chat.LogitBias, chat.Logprobs, chat.TopLogprobs, chat.User, chat.Metadata, chat.ServiceTier, chat.Prediction,
			chat.Modalities, chat.Audio, chat.ImageConfig, chat.WebSearchOptions, chat.Verbosity, chat.ParallelToolCalls,
			chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty),
		codes: map[string]fault.Kind{"exceeded_current_quota_error": fault.Payment, "engine_overloaded_error": fault.Overloaded},
		tune: func(p *Profile, s codec.Settings) {
			model := strings.ToLower(s.Model)
			if strings.Contains(model, "moonshot") || strings.Contains(model, "kimi-k2-0") || strings.Contains(model, "kimi-k2-turbo") {
				p.base.Thinking, p.history = "never", historyDrop
				return
			}
			p.history = historyRequired
			p.base.Sampling, p.base.ForcedTools, p.base.ThinkingDefault = "never", "without_thinking", "on"
			if strings.Contains(model, "thinking") {
				p.base.Thinking, p.base.ForcedTools = "never", "never" // it always thinks
			}
		},
	}
}

// Qwen is Alibaba's DashScope in its compatible mode.
func Qwen() Profile {
	return Profile{
		systemOnly: true, oneSystem: true, plainJSON: true, thinking: thinkQwen, history: historyContent,
		base: wire.Traits{MaxTokensField: "max_tokens", SystemMessages: "leading", ForcedTools: "without_thinking", Schema: "json_object"},
		drop: chat.SetOf(chat.User, chat.LogitBias, chat.FrequencyPenalty, chat.MinP, chat.TopA, chat.Metadata, chat.ServiceTier, chat.Prediction,
			chat.WebSearchOptions, chat.PromptCacheKey, chat.Verbosity, chat.ImageConfig),
		codes: map[string]fault.Kind{
			"Arrearage": fault.Payment, "InvalidApiKey": fault.Authentication, "ModelNotFound": fault.NotFound, "model_not_found": fault.NotFound,
			"DataInspectionFailed": fault.ContentFilter, "data_inspection_failed": fault.ContentFilter,
			"Throttling": fault.RateLimit, "Throttling.RateQuota": fault.RateLimit, "Throttling.BurstRate": fault.RateLimit,
			"Throttling.AllocationQuota": fault.RateLimit, "limit_requests": fault.RateLimit,
		},
		tune: func(p *Profile, s codec.Settings) {
			model := strings.ToLower(s.Model)
			switch {
			case strings.Contains(model, "thinking"):
				p.base.ThinkingDefault, p.base.ForcedTools, p.base.Thinking = "on", "never", "never" // it always thinks
			case strings.Contains(model, "instruct"):
				p.base.Thinking = "never"
			case thinksByDefault(model):
				p.base.ThinkingDefault = "on"
			}
		},
	}
}

// thinksByDefault reports the models of Qwen's that think unless they are asked
// not to: the open ones of the third generation, and all since.
func thinksByDefault(model string) bool {
	for _, name := range []string{"qwen-plus", "qwen-flash", "qwen-turbo", "qwen-max", "qwen2", "qwen3-max", "coder"} {
		if strings.Contains(model, name) {
			return false
		}
	}
	return strings.Contains(model, "qwen")
}
