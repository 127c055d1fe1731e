package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/shared/wire"
)

// modelItem is a model in GET /models: OpenRouter's object, with every member
// that its SDK insists on, and the members of the reference system beside it.
type modelItem struct {
	ID                string            `json:"id"`
	CanonicalSlug     string            `json:"canonical_slug"`
	Name              string            `json:"name"`
	Object            string            `json:"object"`
	Created           int64             `json:"created"`
	OwnedBy           string            `json:"owned_by"`
	Description       string            `json:"description"`
	HuggingFaceID     string            `json:"hugging_face_id"`
	ContextLength     int               `json:"context_length"`
	MaxOutputLength   int               `json:"max_output_length"`
	Architecture      architecture      `json:"architecture"`
	InputModalities   []string          `json:"input_modalities"`
	OutputModalities  []string          `json:"output_modalities"`
	Quantization      string            `json:"quantization"`
	Pricing           map[string]string `json:"pricing"`
	TopProvider       topProvider       `json:"top_provider"`
	PerRequestLimits  *struct{}         `json:"per_request_limits"`
	SupportedParams   []string          `json:"supported_parameters"`
	SamplingParams    []string          `json:"supported_sampling_parameters"`
	SupportedFeatures []string          `json:"supported_features"`
	DefaultParameters struct{}          `json:"default_parameters"`
	SupportedVoices   *struct{}         `json:"supported_voices"`
	Links             map[string]string `json:"links"`
}

type architecture struct {
	Modality         string   `json:"modality"`
	InputModalities  []string `json:"input_modalities"`
	OutputModalities []string `json:"output_modalities"`
	Tokenizer        string   `json:"tokenizer"`
	InstructType     *string  `json:"instruct_type"`
}

type topProvider struct {
	IsModerated         bool `json:"is_moderated"`
	ContextLength       int  `json:"context_length"`
	MaxCompletionTokens int  `json:"max_completion_tokens"`
}

// modelJSON renders a model once, when its release is built.
func modelJSON(m *Model) ([]byte, error) {
	pricing, err := perToken(m.Pricing)
	if err != nil {
		return nil, err
	}
	sampling := slices.Clone(m.SupportedParameters)
	slices.Sort(sampling)
	item := modelItem{
		ID: m.ID, CanonicalSlug: m.ID, Name: m.Name, Object: "model", Created: m.Created, OwnedBy: m.OwnedBy,
		Description: m.Description, HuggingFaceID: m.HuggingFaceID, ContextLength: m.ContextLength, MaxOutputLength: m.MaxOutputLength,
		Architecture: architecture{
			Modality:        strings.Join(m.InputModalities, "+") + "->" + strings.Join(m.OutputModalities, "+"),
			InputModalities: m.InputModalities, OutputModalities: m.OutputModalities, Tokenizer: "Other",
		},
		InputModalities: m.InputModalities, OutputModalities: m.OutputModalities, Quantization: m.Quantization, Pricing: pricing,
		TopProvider:     topProvider{ContextLength: m.ContextLength, MaxCompletionTokens: m.MaxOutputLength},
		SupportedParams: parameters(m, sampling), SamplingParams: sampling, SupportedFeatures: features(m),
		Links: map[string]string{"details": "/api/v1/models/" + m.ID + "/endpoints"},
	}
	b, err := json.Marshal(item)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return b, nil
}

// perToken turns prices per million tokens into prices per token.
func perToken(p wire.Pricing) (map[string]string, error) {
	price, err := NewPrice(p)
	if err != nil {
		return nil, err
	}
	usd := func(pico int64) string { return string(AppendUSD(nil, pico)) }
	image, err := scaled(p.Image, 12)
	if err != nil {
		return nil, fmt.Errorf("price of image: %w", err)
	}
	return map[string]string{
		"prompt": usd(price.Prompt), "completion": usd(price.Completion), "request": usd(price.Request), "image": usd(image),
		"input_cache_read": usd(price.CacheRead), "input_cache_write": usd(price.CacheWrite),
	}, nil
}

// parameters is what a client may send: the sampling parameters, what every
// model takes, and what follows from the model's abilities.
func parameters(m *Model, sampling []string) []string {
	out := append([]string{"max_tokens", "temperature", "top_p", "stop"}, sampling...)
	if m.SupportsTools {
		out = append(out, "tools", "tool_choice", "parallel_tool_calls")
	}
	if m.SupportsStructured {
		out = append(out, "response_format", "structured_outputs")
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func features(m *Model) []string {
	out := []string{}
	if m.SupportsTools {
		out = append(out, "tools")
	}
	if m.SupportsStructured {
		out = append(out, "json_mode", "structured_outputs")
	}
	return out
}
