package catalog

import (
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/wire"
)

// advertised returns the names of what a client may send to a model's
// endpoint, sorted: what the configuration says of the model, as far as the
// endpoint takes it.
func advertised(m *wire.Model, takes chat.ParamSet) []string {
	out := []string{}
	if m.Type != "chat" {
		return out
	}
	declared := chat.SetOf(chat.MaxTokens, chat.MaxCompletionTokens, chat.Temperature, chat.TopP, chat.Stop) | chat.NamedSet(m.SupportedParameters)
	if m.SupportsTools {
		declared |= chat.SetOf(chat.Tools, chat.ToolChoice, chat.ParallelToolCalls)
	}
	if m.SupportsStructured {
		declared |= chat.SetOf(chat.ResponseFormat, chat.StructuredOutputs)
	}
	if declared&chat.SetOf(chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking) != 0 {
		declared |= chat.SetOf(chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning)
	}
	// SDKs take these names only
	declared &^= chat.SetOf(chat.N, chat.Thinking, chat.Modalities, chat.Audio, chat.ImageConfig)
	out = append(out, (declared & takes).Names()...)
	slices.SortFunc(out, strings.Compare)
	return out
}

// common returns what every endpoint is advertised to take.
func common(endpoints []*Endpoint) []string {
	if len(endpoints) == 0 {
		return []string{}
	}
	out := slices.Clone(endpoints[0].Parameters)
	for _, e := range endpoints[1:] {
		out = slices.DeleteFunc(out, func(name string) bool { return !slices.Contains(e.Parameters, name) })
	}
	return out
}

// Quantization returns OpenRouter's word for a quantization.
func Quantization(q string) string {
	switch q = strings.ToLower(q); q {
	case "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32":
		return q
	}
	return "unknown"
}

// groupOf guesses the family of a model's tokenizer from its names.
func groupOf(names ...string) string {
	text := strings.ToLower(strings.Join(names, " "))
	for _, g := range [...]struct{ word, group string }{
		{"claude", "Claude"},
		{"gemini", "Gemini"},
		{"gemma", "Gemma"},
		{"grok", "Grok"},
		{"deepseek", "DeepSeek"},
		{"qwen3", "Qwen3"},
		{"qwen", "Qwen"},
		{"llama-4", "Llama4"},
		{"llama-3", "Llama3"},
		{"llama-2", "Llama2"},
		{"mistral", "Mistral"},
		{"mixtral", "Mistral"},
		{"command-r", "Cohere"},
		{"cohere", "Cohere"},
		{"gpt", "GPT"},
		{"rwkv", "RWKV"},
	} {
		if strings.Contains(text, g.word) {
			return g.group
		}
	}
	return "Other"
}
