package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
)

// listed is a model in the models list of OpenRouter's API. Prices are USD per
// token, image or request, as decimals; a negative one is not known before the
// request is.
type listed struct {
	ID            string `json:"id"`
	CanonicalSlug string `json:"canonical_slug"`
	Name          string `json:"name"`
	Description   string `json:"description"`
	HuggingFaceID string `json:"hugging_face_id"`
	ContextLength int    `json:"context_length"`
	Architecture  struct {
		Input  []string `json:"input_modalities"`
		Output []string `json:"output_modalities"`
	} `json:"architecture"`
	Pricing     map[string]any `json:"pricing"`
	TopProvider struct {
		ContextLength       int `json:"context_length"`
		MaxCompletionTokens int `json:"max_completion_tokens"`
	} `json:"top_provider"`
	Parameters []string `json:"supported_parameters"`
}

// readList reads a saved answer of GET /api/v1/models.
func readList(text []byte) ([]listed, error) {
	var list struct {
		Data []listed `json:"data"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("not the JSON of a models list: %w", err)
	}
	if len(list.Data) == 0 {
		return nil, errors.New("it has no models under data: save the answer of https://openrouter.ai/api/v1/models")
	}
	return list.Data, nil
}

const catalogHeader = `# From a saved models list of OpenRouter, by "gatewayctl import openrouter-catalog".
`

// maxDescription is how much of a description is kept: lists have whole pages.
const maxDescription = 200

// OpenRouterCatalog makes models served by OpenRouter of a saved answer of its
// models list. only are patterns such as "deepseek/*"; all models without one.
func OpenRouterCatalog(text []byte, only []string) (*Result, error) {
	list, err := readList(text)
	if err != nil {
		return nil, err
	}
	var r Result
	var out catalog
	used := make([]bool, len(only))
	for i := range list {
		m := &list[i]
		if !chosen(m.ID, only, used) {
			continue
		}
		at := fmt.Sprintf("data[%d]", i)
		if m.ID == "" || len(m.Architecture.Output) > 0 && !slices.Contains(m.Architecture.Output, "text") {
			r.notef(0, at, "%s skipped: it answers with %v, not text", m.ID, m.Architecture.Output)
			continue
		}
		out.Models = append(out.Models, r.listed(m, at))
	}
	for i, pattern := range only {
		if !used[i] {
			return nil, fmt.Errorf("no model of the list matches %s", pattern)
		}
	}
	r.needs("OPENROUTER_API_KEY", "OpenRouter's API key")
	return &r, r.finish(&out, catalogHeader)
}

func chosen(id string, only []string, used []bool) bool {
	for i, pattern := range only {
		if ok, err := path.Match(pattern, id); err == nil && ok {
			used[i] = true
			return true
		}
	}
	return len(only) == 0
}

func (r *Result) listed(m *listed, at string) *model {
	out := &model{
		ID: m.ID, Name: m.Name, Description: cut(m.Description), HuggingFaceID: m.HuggingFaceID, ContextLength: m.context(), MaxOutputLength: m.TopProvider.MaxCompletionTokens,
		InputModalities: known(m.Architecture.Input), OutputModalities: known(m.Architecture.Output),
		Routes: []*route{{Kind: "openrouter", APIKey: "${OPENROUTER_API_KEY}"}},
	}
	for _, p := range m.Parameters {
		switch p {
		case "tools":
			out.Tools = true
		case "structured_outputs", "response_format":
			out.Structured = true
		case "tool_choice", "include_reasoning", "web_search_options":
		default:
			out.Params = append(out.Params, p)
		}
	}
	out.Pricing = m.prices(func(key, value string) {
		r.notef(0, at+".pricing."+key, "%s: %q is left out: not a price per unit, or one with more than six decimals", m.ID, value)
	})
	return out
}

func (m *listed) context() int {
	if m.TopProvider.ContextLength > 0 {
		return m.TopProvider.ContextLength
	}
	return m.ContextLength
}

// cells are models.yaml's prices by OpenRouter's, with what an unit is divided by.
func (p *prices) cells() map[string]struct {
	into *string
	by   int64
} {
	type cell = struct {
		into *string
		by   int64
	}
	const million = 1_000_000
	return map[string]cell{
		"prompt": {&p.Prompt, million}, "completion": {&p.Completion, million}, "internal_reasoning": {&p.Reasoning, million}, "input_cache_read": {&p.CacheRead, million},
		"input_cache_write": {&p.CacheWrite, million}, "audio": {&p.Audio, million}, "image": {&p.Image, 1}, "request": {&p.Request, 1}, "web_search": {&p.WebSearch, 1},
	}
}

// prices returns the model's, nil when none is known; odd gets what is left out.
// OpenRouter writes 0 for what is not charged apart: only prompt and completion
// of 0 mean free.
func (m *listed) prices(odd func(key, value string)) *prices {
	var p prices
	for key, cell := range p.cells() {
		value, ok := m.Pricing[key].(string)
		if !ok {
			continue
		}
		price, exact := scaled(value, cell.by)
		switch {
		case !exact:
			odd(key, value)
		case price != "0", key == "prompt", key == "completion":
			*cell.into = price
		}
	}
	if p == (prices{}) {
		return nil
	}
	return &p
}

// known drops modalities that models.yaml does not have.
func known(list []string) (out []string) {
	for _, word := range list {
		if slices.Contains([]string{"text", "image", "audio", "video", "file"}, word) {
			out = append(out, word)
		}
	}
	return out
}

func cut(text string) string {
	if runes := []rune(text); len(runes) > maxDescription {
		return string(runes[:maxDescription-1]) + "…"
	}
	return text
}
