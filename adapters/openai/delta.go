package openai

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// delta reads a delta or a message. Every member may be null or absent.
func (d *decoder) delta(c *rawjson.Cursor, ev *chat.Event) {
	if !c.Object() {
		c.Skip()
		return
	}
	var alias, thought chat.Literal
	var legacy []byte
	first := len(d.tools)
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "content":
			ev.Content, thought = d.content(c.Raw())
		case "reasoning":
			ev.Reasoning = c.Str()
		case "reasoning_content":
			alias = c.Str()
		case "reasoning_details":
			ev.Details = array(c.Raw())
		case "refusal":
			ev.Refusal = c.Str()
		case "tool_calls":
			d.toolCalls(c)
		case "function_call": // before there were tool_calls
			legacy = object(c.Raw())
		case "annotations":
			ev.Annotations = array(c.Raw())
		case "images":
			ev.Images = array(c.Raw())
		case "audio":
			ev.Audio = object(c.Raw())
		case "extra_content":
			ev.Extra = object(c.Raw())
		default:
			c.Skip()
		}
	}
	if legacy != nil && len(d.tools) == first {
		d.legacyCall(legacy)
	}
	// Some servers send the same text under two or three names: never twice.
	if len(ev.Reasoning) <= 2 && alias != nil {
		ev.Reasoning = alias
	}
	if len(ev.Reasoning) <= 2 && ev.Details != nil {
		ev.Reasoning = d.literal(appendThoughts, ev.Details)
	}
	if len(ev.Reasoning) <= 2 && thought != nil {
		ev.Reasoning = thought
	}
	if ev.Details == nil {
		d.signatures(ev, d.tools[first:])
	}
}

// literal builds a string literal in the arena from what add makes of raw; nil
// if that is nothing.
func (d *decoder) literal(add func(dst, raw []byte) []byte, raw []byte) chat.Literal {
	begin := len(d.arena)
	d.arena = append(d.arena, '"')
	d.arena = add(d.arena, raw)
	if len(d.arena) == begin+1 {
		d.arena = d.arena[:begin]
		return nil
	}
	d.arena = append(d.arena, '"')
	return d.arena[begin:len(d.arena):len(d.arena)]
}

// appendThoughts appends the readable text of reasoning_details, still escaped.
func appendThoughts(dst, details []byte) []byte {
	var c rawjson.Cursor
	c.Reset(details)
	for c.Array(); c.Elem(); {
		item := c.Raw()
		dst = append(dst, rawjson.Inner(chat.Member(item, "text"))...)
		dst = append(dst, rawjson.Inner(chat.Member(item, "summary"))...)
	}
	return dst
}

// appendTexts appends the text of content parts.
func appendTexts(dst, parts []byte) []byte {
	var c rawjson.Cursor
	c.Reset(parts)
	for c.Array(); c.Elem(); {
		dst = append(dst, rawjson.Inner(chat.Member(c.Raw(), "text"))...)
	}
	return dst
}

// appendThinking appends the text of the thinking parts among content parts.
func appendThinking(dst, parts []byte) []byte {
	var c rawjson.Cursor
	c.Reset(parts)
	for c.Array(); c.Elem(); {
		thinking := chat.Member(c.Raw(), "thinking")
		if len(thinking) > 0 && thinking[0] == '[' {
			dst = appendTexts(dst, thinking)
		} else {
			dst = append(dst, rawjson.Inner(thinking)...)
		}
	}
	return dst
}

// content returns content as a literal. Of the parts that some servers answer
// with the texts are joined, and so are the thinking ones.
func (d *decoder) content(raw []byte) (text, thought chat.Literal) {
	switch {
	case len(raw) > 0 && raw[0] == '"':
		return raw, nil
	case len(raw) > 0 && raw[0] == '[':
		return d.literal(appendTexts, raw), d.literal(appendThinking, raw)
	}
	return nil, nil
}

// array returns raw if it is an array with something in it.
func array(raw []byte) []byte {
	if len(raw) <= 2 || raw[0] != '[' {
		return nil
	}
	return raw
}

// object returns raw if it is an object.
func object(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	return raw
}

func (d *decoder) toolCalls(c *rawjson.Cursor) {
	if !c.Array() {
		c.Skip()
		return
	}
	for c.Elem() {
		if !c.Object() {
			c.Skip()
			continue
		}
		t := chat.ToolDelta{Index: -1}
		for key, ok := c.Key(); ok; key, ok = c.Key() {
			switch string(key) {
			case "index":
				if n, ok := c.Int(); ok && n >= 0 && n < 1<<16 {
					t.Index = int(n)
				}
			case "id":
				t.ID = filled(c.Str())
			case "function":
				d.function(c, &t)
			case "custom":
				if c.Kind() == rawjson.Object {
					t.Custom = true
				}
				d.function(c, &t)
			case "extra_content":
				t.Extra = object(c.Raw())
			default:
				c.Skip()
			}
		}
		d.tools = append(d.tools, t)
	}
}

// legacyCall reads {"name","arguments"}, the only call of its choice.
func (d *decoder) legacyCall(raw []byte) {
	var c rawjson.Cursor
	c.Reset(raw)
	t := chat.ToolDelta{Index: 0}
	d.function(&c, &t)
	if t.Name != nil || t.Arguments != nil {
		d.tools = append(d.tools, t)
	}
}

func (d *decoder) function(c *rawjson.Cursor, t *chat.ToolDelta) {
	if !c.Object() {
		c.Skip()
		return
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "name":
			t.Name = filled(c.Str())
		case "arguments", "input":
			switch raw := c.Raw(); {
			case rawjson.IsNull(raw):
			case raw[0] == '"':
				t.Arguments = raw
			default: // an object where the API says text of an object
				t.Arguments = d.literal(rawjson.AppendEscaped[[]byte], raw)
			}
		default:
			c.Skip()
		}
	}
}

// filled returns nil for an empty literal.
func filled(raw []byte) chat.Literal {
	if len(raw) <= 2 {
		return nil
	}
	return raw
}
