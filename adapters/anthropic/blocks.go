package anthropic

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// openBlock is the content block that deltas belong to. Blocks come one after
// the other.
type openBlock struct {
	kind  blockKind
	index int
	// call is the index of a tool call as the client counts them.
	call int
	// said: arguments have come.
	said bool
}

type blockKind uint8

const (
	blockOther blockKind = iota // a server tool's, or not known yet
	blockText
	blockThinking
	blockTool
	blockAnswer // a call of answerTool
)

func kindOf(b *piece) blockKind {
	switch string(b.kind) {
	case "text":
		return blockText
	case "thinking", "redacted_thinking":
		return blockThinking
	case "tool_use":
		if string(rawjson.Inner(b.name)) == answerTool {
			return blockAnswer
		}
		return blockTool
	}
	return blockOther
}

func (d *decoder) start(p *payload, out []chat.Event) []chat.Event {
	var b piece
	b.read(p.block)
	d.open = openBlock{kind: kindOf(&b), index: p.index}
	switch d.open.kind {
	case blockText:
		d.cites.begin()
		d.cites.addAll(b.citations)
		out = d.text(b.text, out)
	case blockThinking:
		out = d.think(&b, out)
	case blockAnswer:
		d.answered = true
		out = d.inline(&b, out)
	case blockTool:
		d.open.call = d.calls
		d.calls++
		d.tools = append(d.tools, chat.ToolDelta{Index: d.open.call, ID: b.id, Name: b.name})
		out = append(out, chat.Event{Tools: d.tools[len(d.tools)-1:]})
		out = d.inline(&b, out)
	case blockOther:
	}
	return out
}

// inline takes the arguments that are in the block itself: in a unary answer,
// and in streams that do not cut arguments into pieces.
func (d *decoder) inline(b *piece, out []chat.Event) []chat.Event {
	if len(b.input) <= 2 || b.input[0] != '{' {
		return out
	}
	start := len(d.buf)
	d.buf = rawjson.AppendString(d.buf, b.input)
	return d.arguments(d.buf[start:], out)
}

// arguments passes a fragment of a call's arguments on, or of the answer that
// was given as a call.
func (d *decoder) arguments(literal []byte, out []chat.Event) []chat.Event {
	if len(literal) <= 2 {
		return out
	}
	d.open.said = true
	if d.open.kind == blockAnswer {
		return append(out, chat.Event{Content: literal})
	}
	d.tools = append(d.tools, chat.ToolDelta{Index: d.open.call, Arguments: literal})
	return append(out, chat.Event{Tools: d.tools[len(d.tools)-1:]})
}

func (d *decoder) delta(p *payload, out []chat.Event) []chat.Event {
	var b piece
	b.read(p.delta)
	switch string(b.kind) {
	case "text_delta":
		return d.text(b.text, out)
	case "thinking_delta", "signature_delta":
		d.open.index = p.index
		return d.think(&b, out)
	case "input_json_delta":
		if d.open.kind == blockTool || d.open.kind == blockAnswer {
			return d.arguments(b.json, out)
		}
	case "citations_delta":
		d.cites.add(b.citation)
	}
	return out
}

func (d *decoder) text(literal []byte, out []chat.Event) []chat.Event {
	if len(literal) <= 2 {
		return out
	}
	d.cites.pass(literal)
	return append(out, chat.Event{Content: literal})
}

// stop ends a block: a call without arguments gets the empty object that
// clients parse.
func (d *decoder) stop(out []chat.Event) []chat.Event {
	b := d.open
	d.open = openBlock{}
	switch {
	case b.said:
	case b.kind == blockTool:
		d.tools = append(d.tools, chat.ToolDelta{Index: b.call, Arguments: chat.Literal(`"{}"`)})
		out = append(out, chat.Event{Tools: d.tools[len(d.tools)-1:]})
	case b.kind == blockAnswer:
		out = append(out, chat.Event{Content: chat.Literal(`"{}"`)})
	}
	if b.kind == blockText {
		var list []byte
		if d.buf, list = d.cites.end(d.buf); list != nil {
			out = append(out, chat.Event{Annotations: list})
		}
	}
	return out
}
