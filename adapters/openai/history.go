package openai

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// thoughts is what a message of the history says of earlier reasoning, as far
// as this server may see it.
type thoughts struct {
	// text is the readable reasoning as a literal, nil if there is none; plain
	// means that it was there beside the details.
	text  []byte
	plain bool
	// details are the reasoning_details that the model's own family made,
	// unmodified and in their order.
	details []byte
	// tags is the inside of a literal that goes ahead of the content.
	tags []byte
	// calls means that the message calls tools.
	calls bool
}

// thoughts reads the message's reasoning.
func (m *messages) thoughts() thoughts {
	t := thoughts{calls: m.called}
	var plain, content []byte
	for _, f := range m.members {
		switch string(f.key) {
		case "reasoning":
			plain = f.value
		case "reasoning_content":
			content = f.value
		}
	}
	t.text, t.plain = readable(plain, content, m.details), filled(plain) != nil
	t.details = m.ownDetails(m.details)
	if m.profile.history == historyTags && t.details == nil && t.text != nil {
		t.tags = append(append([]byte(`<think>\n`), rawjson.Inner(t.text)...), `\n</think>\n\n`...)
	}
	return t
}

// readable returns reasoning as one literal, nil if there is none.
func readable(plain, content, details []byte) []byte {
	for _, raw := range [][]byte{plain, content} {
		if filled(raw) != nil && raw[0] == '"' {
			return raw
		}
	}
	if details == nil {
		return nil
	}
	if out := appendThoughts([]byte{'"'}, details); len(out) > 1 {
		return append(out, '"')
	}
	return nil
}

// appendHistory writes the reasoning in the form that the server wants back.
// The same text never goes out under two names unless servers read only one of them.
func (m *messages) appendHistory(dst []byte, t *thoughts) []byte {
	text := t.text
	switch m.profile.history {
	case historyBoth:
		dst = appendFilled(dst, "reasoning", text)
		return appendFilled(dst, "reasoning_content", text)
	case historyPlain:
		return appendFilled(dst, "reasoning", text)
	case historyContent:
		return appendFilled(dst, "reasoning_content", text)
	case historyRequired:
		if text == nil && t.calls && !m.quiet {
			// A thinking server refuses tool calls of a history that lost its reasoning.
			return appendMember(dst, "reasoning_content", []byte(`""`))
		}
		return appendFilled(dst, "reasoning_content", text)
	case historyDetails:
		if t.details == nil || t.plain {
			dst = appendFilled(dst, "reasoning", text)
		}
		return appendFilled(dst, "reasoning_details", t.details)
	case historyTags:
		return appendFilled(dst, "reasoning_details", t.details)
	case historyDrop:
	}
	return dst
}

func appendFilled(dst []byte, name string, value []byte) []byte {
	if value == nil {
		return dst
	}
	return appendMember(dst, name, value)
}

// ownDetails returns the details that the model's family made: the signature
// of another family is an error, and its encrypted data of no use.
func (m *messages) ownDetails(details []byte) []byte {
	switch m.profile.history {
	case historyDetails, historyTags:
	default:
		return nil
	}
	if details == nil {
		return nil
	}
	out, foreign := []byte{'['}, false
	var c rawjson.Cursor
	c.Reset(details)
	for c.Array(); c.Elem(); {
		item := c.Raw()
		if !m.own(formatFamily(rawjson.Text(chat.Member(item, "format")))) {
			foreign = true
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	switch {
	case len(out) == 1:
		return nil
	case !foreign:
		return details
	}
	return append(out, ']')
}

// own reports whether the model may see what a family made. A block of unknown
// origin may go to a router, which knows better, or is text.
func (m *messages) own(family string) bool {
	if m.profile.history == historyDetails && (family == "" || m.family == "") {
		return true
	}
	return family != "" && family == m.family
}

// formatFamily names the family that a reasoning format belongs to, by the
// prefix of its models at OpenRouter; "" if the format names none.
func formatFamily(format string) string {
	format = strings.ToLower(format)
	for _, f := range []struct{ part, family string }{
		{"anthropic", "anthropic"}, {"google", "google"}, {"openai", "openai"}, {"xai", "x-ai"}, {"meta", "meta-llama"}, {"minimax", "minimax"},
	} {
		if strings.Contains(format, f.part) {
			return f.family
		}
	}
	return ""
}

// familyOf names the maker of a model with an id like vendor/model, "" for others.
func familyOf(model string) string {
	vendor, _, ok := strings.Cut(strings.TrimLeft(strings.ToLower(model), "~"), "/")
	if !ok || vendor == "openrouter" {
		return ""
	}
	return vendor
}
