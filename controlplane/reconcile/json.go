package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// page is what the usage and cost APIs of OpenAI and Anthropic and OpenRouter's
// activity API answer.
type page struct {
	HasMore bool              `json:"has_more"`
	Data    []json.RawMessage `json:"data"`
}

// bucket is OpenAI's, with seconds, or Anthropic's, with a time.
type bucket struct {
	StartTime  json.Number                  `json:"start_time"`
	StartingAt string                       `json:"starting_at"`
	Results    []map[string]json.RawMessage `json:"results"`
}

// start is the member with the beginning, and what it says.
func (b *bucket) start() (member, value string) {
	if b.StartingAt != "" {
		return "starting_at", b.StartingAt
	}
	return "start_time", b.StartTime.String()
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
		member, start := b.start()
		if start == "" {
			var row map[string]json.RawMessage
			if err := json.Unmarshal(text, &row); err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			if err := f.readResult(at, row, "", ""); err != nil {
				return err
			}
		}
		for j, row := range b.Results {
			if err := f.readResult(at+".results["+strconv.Itoa(j)+"]", row, member, start); err != nil {
				return err
			}
		}
		if d, err := day(start, f.zone); err == nil && len(b.Results) == 0 && f.form.read != nil {
			if err := f.add(at, Charge{Key: Key{Day: d}}, ""); err != nil { // a day without requests
				return err
			}
		}
	}
	return nil
}

// members are those of an object as the cells of a line. Objects inside it have
// theirs as amount_value and cache_creation_ephemeral_5m_input_tokens.
func members(row map[string]json.RawMessage, zone *time.Location) *cells {
	c := &cells{at: map[string]int{}, kind: "member", zone: zone}
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
		var inside map[string]json.RawMessage
		if json.Unmarshal(value, &inside) != nil {
			continue
		}
		for of, value := range inside {
			put(name+"_"+of, value)
		}
	}
	_, value := c.at["amount_value"]
	if _, currency := c.at["amount_currency"]; value && !currency {
		put("amount_currency", json.RawMessage("null")) // it says so better than an unknown form
	}
	return c
}

// readResult reads an object as a line with its members as columns, and the
// beginning of its bucket, if it is in one.
func (f *file) readResult(where string, row map[string]json.RawMessage, member, start string) error {
	if start != "" {
		row[member] = json.RawMessage(strconv.Quote(start))
	}
	c := members(row, f.zone)
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
	charge := form.read(c)
	if c.err != nil {
		return fmt.Errorf("%s: %w", where, c.err)
	}
	return f.add(where, charge, "")
}
