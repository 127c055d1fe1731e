package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// page is what OpenAI's usage and costs API and OpenRouter's activity API answer.
type page struct {
	HasMore bool              `json:"has_more"`
	Data    []json.RawMessage `json:"data"`
}

// bucket is OpenAI's.
type bucket struct {
	StartTime json.Number                  `json:"start_time"`
	Results   []map[string]json.RawMessage `json:"results"`
}

// readJSON reads pages, one after the other or in an array.
func (f *file) readJSON(r io.Reader) error {
	dec := json.NewDecoder(r)
	more, pages := false, 0
	for {
		var text json.RawMessage
		if err := dec.Decode(&text); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s: byte %d: not JSON: %w", f.name, dec.InputOffset(), err)
		}
		list := []page{{}}
		into := any(&list[0])
		if text[0] == '[' {
			into = &list
		}
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("%s: must be pages of the provider's API with data: %w", f.name, err)
		}
		for i := range list {
			if err := f.readPage(fmt.Sprintf("%s: page %d", f.name, pages+1), &list[i]); err != nil {
				return err
			}
			more = list[i].HasMore
			pages++
		}
	}
	if more {
		return fmt.Errorf("%s: the last page has has_more: the export is incomplete", f.name)
	}
	if f.form.read == nil {
		return fmt.Errorf("%s has no lines", f.name)
	}
	return f.end()
}

func (f *file) readPage(where string, p *page) error {
	if p.Data == nil {
		return fmt.Errorf("%s: data is missing", where)
	}
	for i, text := range p.Data {
		at := fmt.Sprintf("%s: data[%d]", where, i)
		var b bucket
		if err := json.Unmarshal(text, &b); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if b.StartTime == "" {
			var row map[string]json.RawMessage
			if err := json.Unmarshal(text, &row); err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			if err := f.readResult(at, row, ""); err != nil {
				return err
			}
		}
		for j, row := range b.Results {
			if err := f.readResult(at+".results["+strconv.Itoa(j)+"]", row, b.StartTime.String()); err != nil {
				return err
			}
		}
		if d, err := day(b.StartTime.String(), f.zone); err == nil && len(b.Results) == 0 && f.form.read != nil {
			if err := f.add(at, Charge{Key: Key{Day: d}}, ""); err != nil { // a day without requests
				return err
			}
		}
	}
	return nil
}

// readResult reads an object as a line with its members as columns.
func (f *file) readResult(where string, row map[string]json.RawMessage, start string) error {
	c := cells{at: map[string]int{}, zone: f.zone}
	put := func(name string, value json.RawMessage) {
		text := string(value)
		switch {
		case text == "null":
			text = ""
		case strings.HasPrefix(text, `"`):
			_ = json.Unmarshal(value, &text) // it is a part of valid JSON
		}
		c.at[name] = len(c.line)
		c.line = append(c.line, text)
	}
	for name, value := range row {
		put(name, value)
	}
	var money struct {
		Value    json.RawMessage `json:"value"`
		Currency json.RawMessage `json:"currency"`
	}
	if value, ok := row["amount"]; ok && json.Unmarshal(value, &money) == nil && money.Value != nil {
		put("amount_value", money.Value)
		put("amount_currency", money.Currency)
	}
	if start != "" {
		put("start_time", json.RawMessage(start))
	}
	form, err := jsonForm(c.at)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if f.form.read == nil {
		if err := f.begin(form); err != nil {
			return err
		}
	}
	if form.name != f.form.name {
		return fmt.Errorf("%s is of %s, and what is before it of %s: use one file each", where, form.name, f.form.name)
	}
	charge := form.read(&c)
	if c.err != nil {
		return fmt.Errorf("%s: %w", where, c.err)
	}
	return f.add(where, charge, "")
}

// activity is a line of OpenRouter's activity API.
func activity(c *cells) (out Charge) {
	out.Key = c.key("date", "model")
	out.Used.Requests, out.Used.Prompt, out.Used.Completion = c.count("requests"), c.count("prompt_tokens"), c.count("completion_tokens")
	c.money("byok_usage_inference", &out.Used)
	out.Used.BYOK.Set(&out.Used.Cost)
	c.money("usage", &out.Used)
	return out
}

func jsonForm(at map[string]int) (form, error) {
	names := slices.Sorted(maps.Keys(at))
	known := append(forms(), form{
		name: "OpenRouter activity API", provider: "OpenRouter", measures: []Measure{Requests, Tokens, Cost}, read: activity,
		columns: []string{"date", "model", "requests", "prompt_tokens", "completion_tokens", "usage"},
	})
	for _, f := range known {
		if f.fits(names) {
			return f.generic(names), nil
		}
	}
	return form{}, fmt.Errorf("unknown members %s; accepted are results of OpenAI's usage (input_tokens, num_model_requests, model) and costs (amount), and OpenRouter's activity (date, model, usage, requests, prompt_tokens, completion_tokens)",
		strings.Join(names, ", "))
}
