package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// form is a file that a provider exports.
type form struct {
	name, provider string
	// columns must be there for a file to be of this form; one of any, too.
	columns, any []string
	measures     []Measure
	read         func(c *cells) Charge
}

// forms are tried in this order.
func forms() []form {
	all := []Measure{Requests, Tokens, Cost}
	return []form{
		{
			name: "OpenRouter activity", provider: "OpenRouter", measures: all, read: openRouterLine,
			columns: []string{"generation_id", "created_at", "cost_total", "tokens_prompt", "tokens_completion", "model_permaslug"},
		},
		{
			name: "Anthropic usage", provider: "Anthropic", measures: []Measure{Tokens}, read: anthropicUsage,
			columns: []string{"usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"},
		},
		{
			name: "Anthropic cost", provider: "Anthropic", measures: []Measure{Cost}, read: anthropicCost,
			columns: []string{"usage_date_utc", "model", "cost_usd"},
		},
		{
			name: "OpenAI usage", provider: "OpenAI", measures: []Measure{Requests, Tokens}, read: openAIUsage,
			columns: []string{"input_tokens", "num_model_requests", "model"}, any: []string{"start_time", "start_time_iso"},
		},
		{
			name: "OpenAI cost", provider: "OpenAI", measures: []Measure{Cost}, read: openAICost,
			columns: []string{"amount_value", "amount_currency"}, any: []string{"start_time", "start_time_iso"},
		},
		{
			name: "generic", measures: all, read: genericLine,
			columns: []string{"day", "model"}, any: []string{"requests", "prompt_tokens", "completion_tokens", "cost"},
		},
	}
}

// formOf finds the form of a header.
func formOf(header []string) (form, error) {
	var accepted []string
	for _, f := range forms() {
		if f.fits(header) {
			return f.generic(header), nil
		}
		text := f.name + " (" + strings.Join(f.columns, ", ")
		if f.any != nil {
			text += ", and " + strings.Join(f.any, " or ")
		}
		accepted = append(accepted, text+")")
	}
	return form{}, fmt.Errorf("unknown columns %s; accepted are %s", strings.Join(header, ", "), strings.Join(accepted, "; "))
}

func (f form) fits(columns []string) bool {
	has := func(name string) bool { return slices.Contains(columns, name) }
	return !slices.ContainsFunc(f.columns, func(c string) bool { return !has(c) }) && (f.any == nil || slices.ContainsFunc(f.any, has))
}

// generic leaves out what a generic file does not tell.
func (f form) generic(header []string) form {
	if f.name != "generic" {
		return f
	}
	f.measures = nil
	for m, columns := range [][]string{{"requests"}, {"prompt_tokens", "completion_tokens"}, {"cost"}} {
		if slices.ContainsFunc(columns, func(c string) bool { return slices.Contains(header, c) }) {
			f.measures = append(f.measures, Measure(m))
		}
	}
	return f
}

// cells is a line. The first that cannot be read is kept.
type cells struct {
	at   map[string]int
	line []string
	kind string // "column" or "member", for errors
	zone *time.Location
	err  error
}

func (c *cells) text(name string) string {
	if i, ok := c.at[name]; ok {
		return strings.TrimSpace(c.line[i])
	}
	return ""
}

func (c *cells) fail(name string, err error) {
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("%s %s: %w", c.kind, name, err)
	}
}

func (c *cells) count(name string) int64 {
	n, err := count(c.text(name))
	c.fail(name, err)
	return n
}

// money adds a column to a sum.
func (c *cells) money(name string, to *Sum) {
	r, err := amount(c.text(name))
	if c.fail(name, err); err == nil {
		to.Cost.Add(&to.Cost, r)
	}
}

func (c *cells) key(dayColumn, modelColumn string) Key {
	d, err := day(c.text(dayColumn), c.zone)
	c.fail(dayColumn, err)
	model := c.text(modelColumn)
	if model == "" {
		c.fail(modelColumn, errEmpty)
	}
	return Key{d, model}
}

func openRouterLine(c *cells) (out Charge) {
	out.Key = c.key("created_at", "model_permaslug")
	out.Used.Requests, out.Used.Prompt, out.Used.Completion = 1, c.count("tokens_prompt"), c.count("tokens_completion")
	c.money("byok_usage_inference", &out.Used)
	out.Used.BYOK.Set(&out.Used.Cost)
	c.money("cost_total", &out.Used)
	if strings.EqualFold(c.text("cancelled"), "true") {
		out.Used.Cancelled = 1
	}
	return out
}

func anthropicUsage(c *cells) (out Charge) {
	out.Key = c.key("usage_date_utc", "model_version")
	for _, name := range []string{
		"usage_input_tokens_no_cache", "usage_input_tokens_cache_write", "usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h", "usage_input_tokens_cache_read",
	} {
		out.Used.Prompt += c.count(name)
	}
	out.Used.Completion = c.count("usage_output_tokens")
	return out
}

func anthropicCost(c *cells) (out Charge) {
	model := "model"
	if c.text(model) == "" { // searches and the like
		model = "cost_type"
	}
	if out.Key = c.key("usage_date_utc", model); model == "cost_type" {
		out.Key.Model = "(" + out.Key.Model + ")"
	}
	c.money("cost_usd", &out.Used)
	return out
}

// start is the column with the beginning of a bucket.
func (c *cells) start() string {
	if c.text("start_time_iso") != "" {
		return "start_time_iso"
	}
	return "start_time"
}

func openAIUsage(c *cells) (out Charge) {
	if c.text("model") == "" && c.text("input_tokens") == "" { // a day without requests
		out.Key.Day, c.err = day(c.text(c.start()), c.zone)
		return out
	}
	out.Key = c.key(c.start(), "model")
	out.Used.Requests, out.Used.Prompt, out.Used.Completion = c.count("num_model_requests"), c.count("input_tokens"), c.count("output_tokens")
	return out
}

func openAICost(c *cells) (out Charge) {
	d, err := day(c.text(c.start()), c.zone)
	c.fail(c.start(), err)
	out.Key.Day = d
	if c.text("amount_value") == "" { // a day without costs
		return out
	}
	if currency := c.text("amount_currency"); !strings.EqualFold(currency, "usd") {
		c.fail("amount_currency", fmt.Errorf("must be usd, got %q", currency))
	}
	out.Key.Model = AllModels
	if item := c.text("line_item"); item != "" {
		out.Key.Model, _, _ = strings.Cut(item, ", ") // "gpt-5-2025-08-07, input"
	}
	c.money("amount_value", &out.Used)
	return out
}

func genericLine(c *cells) (out Charge) {
	out.Key = c.key("day", "model")
	out.Used.Requests, out.Used.Prompt, out.Used.Completion = c.count("requests"), c.count("prompt_tokens"), c.count("completion_tokens")
	c.money("cost", &out.Used)
	return out
}
