package openai

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/markup"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Decoder implements codec.Adapter.
func (a *Adapter) Decoder() codec.Decoder {
	return &decoder{profile: &a.profile, dialect: a.dialects.always | a.dialects.called}
}

// DecoderFor implements codec.RequestDecoder: the types of a tool's parameters
// decide how the text markup of a call is read.
func (a *Adapter) DecoderFor(r *chat.Request) codec.Decoder {
	d := &decoder{profile: &a.profile, dialect: a.dialects.always, schemas: array(r.Raw(chat.Tools))}
	if d.schemas != nil {
		d.dialect |= a.dialects.called
	}
	switch {
	case r.Reasoning.Off: // nothing to wait for: the answer begins at once
		d.dialect &^= markup.CloseOnly | markup.Opened
	case r.Reasoning.On:
		d.dialect |= a.dialects.asked
	}
	return d
}

// decoder holds what must be remembered from chunk to chunk of one answer.
type decoder struct {
	profile *Profile
	dialect markup.Dialect
	schemas []byte // the request's tools

	calls calls
	// begun and finished are bit sets of choices.
	begun, finished uint64
	usage           chat.Usage
	// parsers of the content and of the reasoning, by choice. That of the first
	// choice's content is first, once parsing is set: most answers need no other.
	parsers, thoughts []*markup.Parser
	first             markup.Parser
	parsing           bool

	// of the current event
	tools   []chat.ToolDelta
	arena   []byte // literals that are not in the chunk as they are
	counted bool   // the chunk has usage
}

// Event implements codec.Decoder.
func (d *decoder) Event(name, data []byte, out []chat.Event) ([]chat.Event, error) {
	if string(bytes.TrimSpace(data)) == "[DONE]" {
		return d.end(out)
	}
	if string(name) == "error" {
		return out, d.inBand(data)
	}
	return d.chunk(data, out)
}

// EOF implements codec.Decoder. Several servers end without [DONE].
func (d *decoder) EOF(out []chat.Event) ([]chat.Event, error) { return d.end(out) }

// end is the end of a stream. It is a fault unless every choice has finished:
// servers that were cut off or stopped working close their streams in good order, too.
func (d *decoder) end(out []chat.Event) ([]chat.Event, error) {
	if d.finished == 0 || d.begun != d.finished {
		return out, unreadable("The upstream ended the stream before the answer was complete", nil)
	}
	return append(out, chat.Event{Done: true}), nil
}

// Body implements codec.Decoder. A unary answer may lack the finish reason.
func (d *decoder) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	base := len(out)
	out, err := d.chunk(bytes.TrimSpace(body), out)
	if err != nil {
		return out, err
	}
	answered := false
	for i := base; i < len(out); i++ {
		ev := &out[i]
		if d.begun&bit(ev.Choice) != 0 && d.finished&bit(ev.Choice) == 0 && ev.HasContent() {
			d.close(ev, chat.FinishStop)
		}
		answered = answered || ev.Finish != chat.NotFinished
	}
	if !answered {
		return out[:base], unreadable("The upstream's answer has no choices", nil)
	}
	return append(out, chat.Event{Done: true}), nil
}

// chunk decodes a chat.completion.chunk or a chat.completion: they
// differ in the name of delta only.
func (d *decoder) chunk(data []byte, out []chat.Event) ([]chat.Event, error) {
	d.tools, d.arena, d.counted = d.tools[:0], d.arena[:0], false
	base := len(out)
	var meta chat.Event
	var c rawjson.Cursor
	c.Reset(data)
	if !c.Object() {
		return out, unreadable("The upstream's answer is not a JSON object", nil)
	}
	failed := false
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "choices":
			out = d.choices(&c, out)
		case "usage":
			d.readUsage(&c)
		case "id":
			meta.ID = c.Str()
		case "system_fingerprint":
			meta.Fingerprint = c.Str()
		case "service_tier":
			meta.ServiceTier = c.Str()
		case "error", "base_resp", "detail", "object":
			failed = isFailure(key, c.Raw(), len(out) > base) || failed
		default:
			c.Skip()
		}
	}
	if err := c.End(); err != nil {
		return out[:base], unreadable("The upstream's answer is not valid JSON", err)
	}
	if failed && len(out) == base {
		return out, d.inBand(data)
	}
	out = d.finish(out, base, &meta)
	if failed {
		return out, d.inBand(data)
	}
	return out, nil
}

// isFailure distinguishes the members that report an error from namesakes in a
// normal chunk, which has choices.
func isFailure(key, raw []byte, answered bool) bool {
	switch string(key) {
	case "error":
		return len(raw) > 2 && (raw[0] == '{' || raw[0] == '"')
	case "base_resp":
		code, ok := rawjson.Int(chat.Member(raw, "status_code"))
		return ok && code != 0
	case "detail":
		return !answered && !rawjson.IsNull(raw)
	case "object":
		return string(raw) == `"error"`
	}
	return false
}

// finish attaches what concerns the entire chunk to its last event.
func (d *decoder) finish(out []chat.Event, base int, meta *chat.Event) []chat.Event {
	if len(out) == base {
		out = append(out, chat.Event{})
	}
	last := &out[len(out)-1]
	last.ID, last.Fingerprint, last.ServiceTier = meta.ID, meta.Fingerprint, meta.ServiceTier
	if d.counted {
		last.Usage = &d.usage
	}
	if d.calls.unnamed {
		d.nameCalls(out[base:], meta.ID)
	}
	return out
}

func bit(choice int) uint64 { return 1 << choice }

func unreadable(msg string, err error) error {
	return &fault.Error{Kind: fault.Unavailable, Message: msg, Err: err}
}
