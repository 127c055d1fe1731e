// Package traits is what the gateway knows of models, as data: what requests to
// a family of models have to mind, by version. A version that is newer than any
// known one counts as the newest known one of its family. Whatever the table
// says, models.yaml can override.
package traits

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/shared/wire"
)

// Of returns the traits of a model by its name at the upstream. The first of
// the overrides that has a trait decides about it, ahead of the table.
func Of(model string, overrides ...*wire.Traits) wire.Traits {
	var t wire.Traits
	for _, o := range overrides {
		if o != nil {
			fill(&t, o)
		}
	}
	if r := find(model); r != nil {
		fill(&t, &r.Traits)
	}
	return t
}

// fill sets the traits that are not set yet.
func fill(t, from *wire.Traits) {
	for _, c := range Cells() {
		*c.Of(t) = cmp.Or(*c.Of(t), *c.Of(from))
	}
	if t.Efforts == nil {
		t.Efforts = from.Efforts
	}
}

// Cell is one trait with a word for a value.
type Cell struct {
	Name  string
	Words []string
	Of    func(*wire.Traits) *string
}

// Cells lists the traits that are words, all but efforts.
func Cells() []Cell {
	return []Cell{
		{"max_tokens_field", []string{"max_tokens", "max_completion_tokens", "as_sent"}, func(t *wire.Traits) *string { return &t.MaxTokensField }},
		{"sampling", []string{"always", "one_of", "without_thinking", "never"}, func(t *wire.Traits) *string { return &t.Sampling }},
		{"thinking", []string{"never", "budget", "budget_or_adaptive", "adaptive", "level"}, func(t *wire.Traits) *string { return &t.Thinking }},
		{"thinking_default", []string{"on", "off"}, func(t *wire.Traits) *string { return &t.ThinkingDefault }},
		{"thinking_off", []string{"disabled", "between_tools", "lowest_effort"}, func(t *wire.Traits) *string { return &t.ThinkingOff }},
		{"forced_tools", []string{"always", "without_thinking", "never"}, func(t *wire.Traits) *string { return &t.ForcedTools }},
		{"schema", []string{"json_schema", "json_object", "none"}, func(t *wire.Traits) *string { return &t.Schema }},
		{"prefill", []string{"yes", "no"}, func(t *wire.Traits) *string { return &t.Prefill }},
		{"system_messages", []string{"anywhere", "leading"}, func(t *wire.Traits) *string { return &t.SystemMessages }},
		{"thinking_binding", []string{"yes", "no"}, func(t *wire.Traits) *string { return &t.ThinkingBinding }},
	}
}

// Efforts are the levels of effort, lowest first.
func Efforts() []string {
	return []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}
}

// Check refuses words that are none of a trait's. A newer control plane may
// know more of them than this program.
func Check(t *wire.Traits) error {
	if t == nil {
		return nil
	}
	for _, c := range Cells() {
		if word := *c.Of(t); word != "" && !slices.Contains(c.Words, word) {
			return fmt.Errorf("traits.%s: must be one of %s, got %q", c.Name, strings.Join(c.Words, ", "), word)
		}
	}
	for _, effort := range t.Efforts {
		if !slices.Contains(Efforts(), effort) {
			return fmt.Errorf("traits.efforts: must be of %s, got %q", strings.Join(Efforts(), ", "), effort)
		}
	}
	return nil
}

// Nearest returns the known level next to the one that was asked for, the
// higher of two; "" if none is known. Only none itself turns thinking off.
func Nearest(known []string, effort string) string {
	order := Efforts()
	want := slices.Index(order, effort)
	best, distance := "", len(order)
	for _, level := range known {
		if level == "none" && effort != "none" {
			continue
		}
		d := slices.Index(order, level) - want
		if d < 0 {
			d = -d
		}
		if d < distance || d == distance && slices.Index(order, level) > want {
			best, distance = level, d
		}
	}
	return best
}
