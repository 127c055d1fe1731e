package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
)

// describe works out what clients are told of a model and its endpoints.
func (b *Builder) describe(m *Model) error {
	if b.probes == nil {
		b.probes = newProbes()
	}
	m.Outputs, m.Group = m.OutputModalities, groupOf(m.ID, m.Name)
	if m.Type == "embedding" {
		m.Outputs = []string{"embeddings"}
	}
	for _, e := range slices.Concat(m.Endpoints, m.Parked) {
		if e.JSON != nil { // of the release before; weights do not show in it
			continue
		}
		if err := b.describeEndpoint(m, e); err != nil {
			return fmt.Errorf("endpoint %s: %w", e.ID, err)
		}
	}
	m.Uneven, m.Parameters = uneven(m), common(m)
	var err error
	if m.Price, err = NewPrice(m.Pricing); err != nil {
		return err
	}
	if m.JSON, err = modelJSON(m); err != nil {
		return err
	}
	m.Page, err = pageJSON(m)
	return err
}

func (b *Builder) describeEndpoint(m *Model, e *Endpoint) error {
	e.Slugs, e.Quantization = slugs(m.Model, e.Endpoint), quantizationOf(m.Quantization)
	var choice ToolChoice
	e.Takes, choice = takes(e.Adapter, b.probes)
	e.Parameters = advertised(m, e)
	item, err := endpointItem(m, e, choice)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	e.JSON = raw[:len(raw)-1]
	return nil
}

// uneven returns the parameters for whose sake an endpoint that takes them is
// preferred: without them the answer is another, not just a little different.
func uneven(m *Model) chat.ParamSet {
	all, some := ^chat.ParamSet(0), chat.ParamSet(0)
	for _, e := range m.Endpoints {
		all &= e.Takes
		some |= e.Takes
	}
	return some &^ all & chat.SetOf(chat.Tools, chat.ToolChoice, chat.ResponseFormat, chat.StructuredOutputs, chat.Verbosity)
}

// quantizationOf returns OpenRouter's word for a quantization.
func quantizationOf(q string) string {
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
