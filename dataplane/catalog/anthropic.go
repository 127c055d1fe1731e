package catalog

import "time"

// AnthropicModel is a model in Anthropic's form.
type AnthropicModel struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
	// MaxInputTokens and MaxTokens bound prompt and answer; 0 is not known.
	MaxInputTokens int `json:"max_input_tokens"`
	MaxTokens      int `json:"max_tokens"`
}

// AnthropicPage is Anthropic's list of models.
type AnthropicPage struct {
	Data    []AnthropicModel `json:"data"`
	HasMore bool             `json:"has_more"`
	First   *string          `json:"first_id"`
	Last    *string          `json:"last_id"`
}

// Anthropic returns the model in Anthropic's form.
func (m *Model) Anthropic() AnthropicModel {
	return AnthropicModel{
		Type: "model", ID: m.ID, DisplayName: m.Name, CreatedAt: time.Unix(m.Created, 0).UTC().Format(time.RFC3339),
		MaxInputTokens: m.ContextLength, MaxTokens: m.MaxOutputLength,
	}
}

// AnthropicList lists the models that answer with text in Anthropic's form.
func AnthropicList(models []*Model) AnthropicPage {
	page := AnthropicPage{Data: []AnthropicModel{}}
	for _, m := range texts(models) {
		page.Data = append(page.Data, m.Anthropic())
	}
	if n := len(page.Data); n > 0 {
		page.First, page.Last = &page.Data[0].ID, &page.Data[n-1].ID
	}
	return page
}
