package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/wire"
)

// endpointItem is what does not change of an endpoint in GET
// models/{id}/endpoints.
type endpointItem struct {
	Name                string         `json:"name"`
	ModelID             string         `json:"model_id"`
	ModelName           string         `json:"model_name"`
	ContextLength       int            `json:"context_length"`
	Pricing             map[string]any `json:"pricing"`
	ProviderName        string         `json:"provider_name"`
	Tag                 string         `json:"tag"`
	Quantization        string         `json:"quantization"`
	MaxCompletionTokens int            `json:"max_completion_tokens"`
	MaxPromptTokens     *int           `json:"max_prompt_tokens"`
	SupportedParameters []string       `json:"supported_parameters"`
	ImplicitCaching     bool           `json:"supports_implicit_caching"`
	ToolChoice          ToolChoice     `json:"supports_tool_choice"`
	VoiceCloning        bool           `json:"supports_voice_cloning"`
}

// ToolChoice says which values of tool_choice an endpoint takes.
type ToolChoice struct {
	Auto     bool `json:"auto"`
	None     bool `json:"none"`
	Required bool `json:"required"`
	Function bool `json:"function"`
}

// endpointJSON renders an endpoint up to what is measured.
func endpointJSON(m *wire.Model, e *Endpoint, choice ToolChoice) ([]byte, error) {
	prices, err := pricing(e.Pricing, time.Now())
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(&endpointItem{
		Name: e.Provider + " | " + m.ID, ModelID: m.ID, ModelName: m.Name, ContextLength: m.ContextLength, Pricing: prices,
		ProviderName: e.Provider, Tag: ShortID(m, e.Endpoint), Quantization: Quantization(m.Quantization), MaxCompletionTokens: m.MaxOutputLength,
		SupportedParameters: e.Parameters, ImplicitCaching: e.Pricing.CacheRead != "", ToolChoice: choice,
	})
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return raw[:len(raw)-1], nil
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

// Endpoints answers GET models/{id}/endpoints.
func Endpoints(m *Model, now time.Time) []byte {
	return appendEndpoints(append([]byte(nil), m.page...), m.Endpoints, now, "]}}")
}

// ZeroRetention answers GET endpoints/zdr: the endpoints that keep no prompts.
func ZeroRetention(models []*Model, now time.Time) []byte {
	var list []*Endpoint
	for _, m := range models {
		for _, e := range m.Endpoints {
			if e.ZDR {
				list = append(list, e)
			}
		}
	}
	return appendEndpoints([]byte(`{"data":[`), list, now, "]}")
}

func appendEndpoints(dst []byte, list []*Endpoint, now time.Time, end string) []byte {
	for i, e := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, e.json...), ',')
		dst = append(dst, measure(e, now).json()[1:]...)
	}
	return append(dst, end...)
}

// measured is what this node has measured of an endpoint, in OpenRouter's
// words: percent, milliseconds, tokens a second; null where nothing was.
type measured struct {
	Uptime5m   *float64              `json:"uptime_last_5m"`
	Uptime30m  *float64              `json:"uptime_last_30m"`
	Uptime1d   *float64              `json:"uptime_last_1d"`
	Latency    *upstream.Percentiles `json:"latency_last_30m"`
	Throughput *upstream.Percentiles `json:"throughput_last_30m"`
	Status     int                   `json:"status"`
}

func measure(e *Endpoint, now time.Time) *measured {
	s := &e.State.Stats
	return &measured{
		Uptime5m: known(s.Uptime(now, upstream.FiveMinutes)), Uptime30m: known(s.Uptime(now, upstream.HalfHour)), Uptime1d: known(s.Uptime(now, upstream.Day)),
		Latency: known(s.Latency(now, upstream.HalfHour)), Throughput: known(s.Throughput(now, upstream.HalfHour)), Status: statusOf(e, now),
	}
}

func (m *measured) json() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic("BUG: a measurement is not a number: " + err.Error())
	}
	return b
}

func known[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

// statusOf is OpenRouter's number for the condition of an endpoint: 0 is healthy.
func statusOf(e *Endpoint, now time.Time) int {
	switch word, _ := e.State.Condition(now); word {
	case "half_open":
		return -1
	case "cooling":
		return -2
	case "open":
		return -5
	}
	return 0
}
