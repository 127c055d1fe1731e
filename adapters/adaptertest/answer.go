package adaptertest

import (
	"encoding/json"
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Answer is what the events of one answer add up to. The zero value is ready.
type Answer struct {
	// Choices stand in the order of their index.
	Choices []Choice
	Usage   chat.Usage
	ID      string
	// Fault is an error that came inside the answer.
	Fault *fault.Error
	// Done means that the terminal event came.
	Done bool
}

// Choice is one choice of an answer.
type Choice struct {
	Index                       int
	Content, Reasoning, Refusal string
	Tools                       []Tool
	// Details are the reasoning_details with the fragments of a block joined.
	Details        []map[string]any
	Finish, Native string
	// Images and Annotations are the raw elements, Audio and Logprobs the raw objects.
	Images, Annotations, Audio, Logprobs []string
}

// Add folds events in. They are not retained.
func (a *Answer) Add(events ...chat.Event) {
	for i := range events {
		a.add(&events[i])
	}
}

func (a *Answer) add(ev *chat.Event) {
	if ev.Usage != nil {
		a.Usage = *ev.Usage
	}
	if ev.ID != nil && a.ID == "" {
		a.ID = rawjson.Text(ev.ID)
	}
	if ev.Fault != nil {
		a.Fault = ev.Fault
	}
	a.Done = a.Done || ev.Done
	if !ev.HasContent() && ev.Finish == chat.NotFinished && ev.Logprobs == nil && ev.Content == nil {
		return
	}
	c := a.choice(ev.Choice)
	c.Content += rawjson.Text(ev.Content)
	c.Reasoning += rawjson.Text(ev.Reasoning)
	c.Refusal += rawjson.Text(ev.Refusal)
	c.Images = append(c.Images, elements(ev.Images)...)
	c.Annotations = append(c.Annotations, elements(ev.Annotations)...)
	c.Audio = appendRaw(c.Audio, ev.Audio)
	c.Logprobs = appendRaw(c.Logprobs, ev.Logprobs)
	for _, raw := range elements(ev.Details) {
		c.detail(raw)
	}
	for i := range ev.Tools {
		c.tool(&ev.Tools[i])
	}
	if ev.Finish != chat.NotFinished {
		c.Finish, c.Native = ev.Finish.String(), rawjson.Text(ev.Native)
	}
}

func (a *Answer) choice(index int) *Choice {
	at, ok := slices.BinarySearchFunc(a.Choices, index, func(c Choice, i int) int { return c.Index - i })
	if !ok {
		a.Choices = slices.Insert(a.Choices, at, Choice{Index: index})
	}
	return &a.Choices[at]
}

func (c *Choice) tool(d *chat.ToolDelta) {
	for len(c.Tools) <= d.Index {
		c.Tools = append(c.Tools, Tool{})
	}
	t := &c.Tools[d.Index]
	t.ID += rawjson.Text(d.ID)
	t.Name += rawjson.Text(d.Name)
	t.Arguments += rawjson.Text(d.Arguments)
}

// detail joins a fragment to the block that it continues: same index and type.
func (c *Choice) detail(raw string) {
	var item map[string]any
	if json.Unmarshal([]byte(raw), &item) != nil {
		item = map[string]any{"type": "malformed"}
	}
	if n := len(c.Details); n > 0 && c.Details[n-1]["index"] == item["index"] && c.Details[n-1]["type"] == item["type"] {
		for key, value := range item {
			c.Details[n-1][key] = joined(key, c.Details[n-1][key], value)
		}
		return
	}
	c.Details = append(c.Details, item)
}

func joined(key string, old, value any) any {
	before, isText := old.(string)
	after, ok := value.(string)
	if isText && ok && (key == "text" || key == "summary" || key == "data") {
		return before + after
	}
	return value
}

// DetailKinds returns the types of the details, with "+signature" where one is.
func (c *Choice) DetailKinds() []string {
	var kinds []string
	for _, d := range c.Details {
		kind, _ := d["type"].(string)
		if s, ok := d["signature"].(string); ok && s != "" {
			kind += "+signature"
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

func appendRaw(list []string, raw []byte) []string {
	if raw == nil {
		return list
	}
	return append(list, string(raw))
}

// elements returns the raw elements of an array.
func elements(raw []byte) []string {
	var out []string
	var c rawjson.Cursor
	c.Reset(raw)
	for c.Array(); c.Elem(); {
		out = append(out, string(c.Raw()))
	}
	return out
}
