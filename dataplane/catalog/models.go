package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
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
	Pricing           map[string]any    `json:"pricing"`
	TopProvider       topProvider       `json:"top_provider"`
	PerRequestLimits  *struct{}         `json:"per_request_limits"`
	SupportedParams   []string          `json:"supported_parameters"`
	SamplingParams    []string          `json:"supported_sampling_parameters"`
	SupportedFeatures []string          `json:"supported_features"`
	DefaultParameters struct{}          `json:"default_parameters"`
	SupportedVoices   *struct{}         `json:"supported_voices"`
	Links             map[string]string `json:"links"`
	// OpenRouter is the reference's: the id at OpenRouter where it differs.
	OpenRouter *struct{} `json:"openrouter"`
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
	prices, err := pricing(m.Pricing, time.Now())
	if err != nil {
		return nil, err
	}
	// the reference's words
	prices["input_cache_reads"], prices["input_cache_writes"] = prices["input_cache_read"], prices["input_cache_write"]
	sampling := []string{}
	if m.Type == "chat" {
		sampling = append(sampling, m.SupportedParameters...)
		slices.Sort(sampling)
	}
	item := modelItem{
		ID: m.ID, CanonicalSlug: m.ID, Name: m.Name, Object: "model", Created: m.Created, OwnedBy: m.OwnedBy,
		Description: m.Description, HuggingFaceID: m.HuggingFaceID, ContextLength: m.ContextLength, MaxOutputLength: m.MaxOutputLength,
		Architecture: architectureOf(m), InputModalities: m.InputModalities, OutputModalities: m.Outputs, Quantization: m.Quantization, Pricing: prices,
		TopProvider:     topProvider{ContextLength: m.ContextLength, MaxCompletionTokens: m.MaxOutputLength},
		SupportedParams: m.Parameters, SamplingParams: sampling, SupportedFeatures: features(m),
		Links: map[string]string{"details": "/api/v1/models/" + m.ID + "/endpoints"},
	}
	b, err := json.Marshal(item)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return b, nil
}

func architectureOf(m *Model) architecture {
	return architecture{
		Modality:        strings.Join(m.InputModalities, "+") + "->" + strings.Join(m.Outputs, "+"),
		InputModalities: m.InputModalities, OutputModalities: m.Outputs, Tokenizer: m.Group,
	}
}

func features(m *Model) []string {
	out := []string{}
	if m.Type != "chat" {
		return out
	}
	if m.SupportsTools {
		out = append(out, "tools")
	}
	if m.SupportsStructured {
		out = append(out, "json_mode", "structured_outputs")
	}
	return out
}
