package snapshot

import (
	"encoding/json"
	"fmt"
	"strings"
)

// endpointJSON is what does not change of an endpoint in GET
// models/{id}/endpoints.
type endpointJSON struct {
	Name                string            `json:"name"`
	ModelID             string            `json:"model_id"`
	ModelName           string            `json:"model_name"`
	ContextLength       int               `json:"context_length"`
	Pricing             map[string]string `json:"pricing"`
	ProviderName        string            `json:"provider_name"`
	Tag                 string            `json:"tag"`
	Quantization        string            `json:"quantization"`
	MaxCompletionTokens int               `json:"max_completion_tokens"`
	MaxPromptTokens     *int              `json:"max_prompt_tokens"`
	SupportedParameters []string          `json:"supported_parameters"`
	ImplicitCaching     bool              `json:"supports_implicit_caching"`
	ToolChoice          ToolChoice        `json:"supports_tool_choice"`
	VoiceCloning        bool              `json:"supports_voice_cloning"`
}

func endpointItem(m *Model, e *Endpoint, choice ToolChoice) (*endpointJSON, error) {
	pricing, err := perToken(e.Pricing)
	if err != nil {
		return nil, err
	}
	return &endpointJSON{
		Name: e.Provider + " | " + m.ID, ModelID: m.ID, ModelName: m.Name, ContextLength: m.ContextLength, Pricing: pricing,
		ProviderName: e.Provider, Tag: ShortID(m.Model, e.Endpoint), Quantization: e.Quantization, MaxCompletionTokens: m.MaxOutputLength,
		SupportedParameters: e.Parameters, ImplicitCaching: e.Pricing.CacheRead != "", ToolChoice: choice,
	}, nil
}

// pageJSON renders GET models/{id}/endpoints up to the first endpoint.
func pageJSON(m *Model) ([]byte, error) {
	raw, err := json.Marshal(struct {
		ID           string       `json:"id"`
		Name         string       `json:"name"`
		Created      int64        `json:"created"`
		Description  string       `json:"description"`
		Architecture architecture `json:"architecture"`
		Endpoints    []struct{}   `json:"endpoints"`
	}{m.ID, m.Name, m.Created, m.Description, architectureOf(m), []struct{}{}})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return []byte(`{"data":` + strings.TrimSuffix(string(raw), "]}")), nil
}
