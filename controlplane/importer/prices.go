package importer

import (
	"cmp"
	"fmt"
	"math/big"
	"path"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hybridinference/gateway/controlplane/config"
)

// Update is a models.yaml with prices and context sizes of a models list.
type Update struct {
	// Text is the file with the changes; everything else in it is as it was.
	Text []byte
	// Changes are in the order of the file.
	Changes []Change
	// Notes are what was left alone, and why.
	Notes []Note
}

// Change is a value that was changed or added.
type Change struct {
	Line  int    `json:"line"`
	Model string `json:"model"`
	Key   string `json:"key"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// updater changes a text in place: what is not a price stays as it was written.
type updater struct {
	Update

	lines []string
	edits []edit
}

// edit replaces old in a line, from a column in characters on; a whole line is
// inserted after it where the column is negative.
type edit struct {
	line, column int
	old, text    string
}

// Prices puts the prices and context sizes of a saved models list into a
// models.yaml. A model of the file is found in the list by its id, an alias, its
// hugging_face_id, or its id without the vendor's name before the slash.
func Prices(list, models []byte) (*Update, error) {
	all, err := readList(list)
	if err != nil {
		return nil, err
	}
	top, err := parse(models)
	if err != nil {
		return nil, fmt.Errorf("models.yaml: %w", err)
	}
	u := &updater{Update: Update{Changes: []Change{}, Notes: []Note{}}, lines: strings.SplitAfter(string(models), "\n")}
	for _, n := range items(lookup(top, "models")) {
		if found := match(all, n); found != nil {
			u.model(n, found)
		}
	}
	if u.Text, err = u.apply(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(u.Changes, func(a, b Change) int { return cmp.Compare(a.Line, b.Line) })
	return &u.Update, u.check()
}

// check holds the new text to what the old one was: a valid file with the same models.
func (u *updater) check() error {
	var doc yaml.Node
	if err := yaml.Unmarshal(u.Text, &doc); err != nil {
		return fmt.Errorf("what became of it is not valid: %w", err)
	}
	_, _, err := config.Parse(config.Source{Name: "models.yaml", Text: u.Text}, config.Source{}, func(string) (string, bool) { return "", false })
	if err != nil {
		return fmt.Errorf("with the prices: %w", err)
	}
	return nil
}

func match(all []listed, n *yaml.Node) *listed {
	id := text(lookup(n, "id"))
	names := []string{id}
	for _, a := range items(lookup(n, "aliases")) {
		names = append(names, text(a))
	}
	hugging := text(lookup(n, "hugging_face_id"))
	for _, by := range []func(*listed) bool{
		func(m *listed) bool { return slices.Contains(names, m.ID) || slices.Contains(names, m.CanonicalSlug) },
		func(m *listed) bool { return hugging != "" && m.HuggingFaceID == hugging },
		func(m *listed) bool { return path.Base(m.ID) == id },
	} {
		if i := slices.IndexFunc(all, func(m listed) bool { return m.ID != "" && by(&m) }); i >= 0 {
			return &all[i]
		}
	}
	return nil
}

func (u *updater) model(n *yaml.Node, m *listed) {
	id := text(lookup(n, "id"))
	note := func(key, value string) {
		u.Notes = append(u.Notes, Note{n.Line, "pricing." + key, fmt.Sprintf("%s: %q is left out: not a price per unit, or one with more than six decimals", id, value)})
	}
	for _, size := range []struct {
		key   string
		value int
	}{{"context_length", m.context()}, {"max_output_length", m.TopProvider.MaxCompletionTokens}} {
		if size.value > 0 {
			u.scalar(id, n, n, size.key, strconv.Itoa(size.value))
		}
	}
	p := m.prices(note)
	if p == nil {
		return
	}
	pricing, list := own(n, "pricing"), p.list()
	switch {
	case pricing == nil:
		u.insert(n, "pricing: {"+join(list)+"}")
		for _, c := range list {
			u.Changes = append(u.Changes, Change{n.Line, id, c.name, "", c.price})
		}
	case pricing.Kind != yaml.MappingNode || len(pricing.Content) == 0:
		u.Notes = append(u.Notes, Note{pricing.Line, "pricing", id + " is left alone: its prices are an alias or empty"})
	default:
		if lookup(pricing, "overrides") != nil {
			u.Notes = append(u.Notes, Note{pricing.Line, "pricing.overrides", id + ": the list has one price for each unit; check the overrides by hand"})
		}
		for _, c := range list {
			u.scalar(id, n, pricing, c.name, c.price)
		}
	}
}

// own returns a mapping's value as it is written: an alias stays one.
func own(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

type cell struct{ name, price string }

// list returns the prices that are known in the order of models.yaml's table.
func (p *prices) list() (out []cell) {
	for _, c := range []cell{
		{"prompt", p.Prompt},
		{"completion", p.Completion},
		{"reasoning", p.Reasoning},
		{"input_cache_reads", p.CacheRead},
		{"input_cache_writes", p.CacheWrite},
		{"input_audio", p.Audio},
		{"image", p.Image},
		{"request", p.Request},
		{"web_search", p.WebSearch},
	} {
		if c.price != "" {
			out = append(out, c)
		}
	}
	return out
}

func join(list []cell) string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = c.name + ": " + strconv.Quote(c.price)
	}
	return strings.Join(words, ", ")
}

// scalar sets a key of a mapping, which may be written in braces or in lines.
func (u *updater) scalar(id string, model, in *yaml.Node, key, value string) {
	quoted := value
	if in != model {
		quoted = strconv.Quote(value)
	}
	at := own(in, key)
	switch {
	case at == nil:
		u.insert(in, key+": "+quoted)
		u.Changes = append(u.Changes, Change{in.Line, id, key, "", value})
	case at.Kind != yaml.ScalarNode:
		u.Notes = append(u.Notes, Note{at.Line, key, id + " is left alone: its value is an alias"})
	case !same(at.Value, value):
		old := at.Value
		switch {
		case at.Style&yaml.DoubleQuotedStyle != 0:
			old = `"` + old + `"`
		case at.Style&yaml.SingleQuotedStyle != 0:
			old = "'" + old + "'"
		}
		u.edits = append(u.edits, edit{at.Line, at.Column - 1, old, quoted})
		u.Changes = append(u.Changes, Change{at.Line, id, key, at.Value, value})
	}
}

func same(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	y, also := new(big.Rat).SetString(b)
	return ok && also && x.Cmp(y) == 0
}

// insert adds a key to a mapping: at the beginning of one that is written in
// braces, in a line after the first key of one that is written in lines.
func (u *updater) insert(in *yaml.Node, line string) {
	if in.Style&yaml.FlowStyle != 0 {
		u.edits = append(u.edits, edit{in.Line, in.Column, "", line + ", "})
		return
	}
	first := in.Content[0]
	u.edits = append(u.edits, edit{first.Line, -1, "", strings.Repeat(" ", first.Column-1) + line + "\n"})
}

// apply makes the edits from the end, so that places stay true.
func (u *updater) apply() ([]byte, error) {
	slices.SortStableFunc(u.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(b.line, a.line), cmp.Compare(b.column, a.column))
	})
	for _, e := range u.edits {
		line := &u.lines[e.line-1]
		if e.column < 0 {
			if !strings.HasSuffix(*line, "\n") {
				*line += "\n"
			}
			*line += e.text
			continue
		}
		chars := []rune(*line)
		end := e.column + len([]rune(e.old))
		if end > len(chars) || string(chars[e.column:end]) != e.old {
			return nil, fmt.Errorf("models.yaml:%d: %s cannot be changed: write it without an anchor and in one line", e.line, e.old)
		}
		*line = string(chars[:e.column]) + e.text + string(chars[end:])
	}
	return []byte(strings.Join(u.lines, "")), nil
}
