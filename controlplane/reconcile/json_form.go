package reconcile

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// activity is a line of OpenRouter's activity API.
func activity(c *cells) (out Charge) {
	out.Key = c.key("date", "model")
	out.Used.Requests, out.Used.Prompt, out.Used.Completion = c.count("requests"), c.count("prompt_tokens"), c.count("completion_tokens")
	c.money("byok_usage_inference", &out.Used)
	out.Used.BYOK.Set(&out.Used.Cost)
	c.money("usage", &out.Used)
	return out
}

// anthropicMessages is a result of Anthropic's usage_report/messages.
func anthropicMessages(c *cells) (out Charge) {
	if c.text("model") == "" {
		c.fail("model", errors.New("must not be empty: ask for the report with group_by[]=model"))
		return out
	}
	out.Key = c.key("starting_at", "model")
	for _, name := range []string{
		"uncached_input_tokens", "cache_creation_ephemeral_5m_input_tokens", "cache_creation_ephemeral_1h_input_tokens", "cache_read_input_tokens",
	} {
		out.Used.Prompt += c.count(name)
	}
	out.Used.Completion = c.count("output_tokens")
	return out
}

// anthropicCosts is a result of Anthropic's cost_report, whose amounts are cents.
func anthropicCosts(c *cells) (out Charge) {
	d, err := day(c.text("starting_at"), c.zone)
	c.fail("starting_at", err)
	out.Key = Key{d, AllModels} // without group_by[]=description
	switch model, kind := c.text("model"), c.text("cost_type"); {
	case model != "":
		out.Key.Model = model
	case kind != "":
		out.Key.Model = "(" + kind + ")"
	}
	if currency := c.text("currency"); !strings.EqualFold(currency, "usd") {
		c.fail("currency", fmt.Errorf("must be USD, got %q", currency))
	}
	c.money("amount", &out.Used)
	out.Used.Cost.Quo(&out.Used.Cost, big.NewRat(100, 1))
	return out
}

func jsonForm(at map[string]int) (form, error) {
	names := slices.Sorted(maps.Keys(at))
	known := append(
		forms(), form{
			name: "OpenRouter activity API", provider: "OpenRouter", measures: []Measure{Requests, Tokens, Cost}, read: activity,
			columns: []string{"date", "model", "requests", "prompt_tokens", "completion_tokens", "usage"},
		}, form{
			name: "Anthropic usage report", provider: "Anthropic", measures: []Measure{Tokens}, read: anthropicMessages,
			columns: []string{"starting_at", "model", "uncached_input_tokens", "output_tokens"},
		}, form{
			name: "Anthropic cost report", provider: "Anthropic", measures: []Measure{Cost}, read: anthropicCosts,
			columns: []string{"starting_at", "amount", "currency"},
		},
	)
	for _, f := range known {
		if f.fits(names) {
			return f.generic(names), nil
		}
	}
	return form{}, fmt.Errorf("unknown members %s; accepted are results of OpenAI's usage (input_tokens, num_model_requests, model) and costs (amount), of Anthropic's usage (starting_at, model, uncached_input_tokens, output_tokens) and costs (starting_at, amount, currency), and OpenRouter's activity (date, model, usage, requests, prompt_tokens, completion_tokens)",
		strings.Join(names, ", "))
}
