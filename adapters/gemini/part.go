package gemini

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// scope is what the decoding of one candidate in one chunk works on.
type scope struct {
	*decoder
	candidate *candidate
	choice    int
	data      []byte // the chunk
	out       []chat.Event
}

// written returns what was appended to the scratch buffer since start.
func (s *scope) written(start int) []byte { return slices.Clip(s.buf[start:]) }

// part is one part of a content.
type part struct {
	text, signature, call, inline []byte
	thought                       bool
}

// parts decodes a content. Each part that says something is an event of its
// own, so that thoughts, text and calls keep their order.
func (s *scope) parts(content []byte) {
	var c rawjson.Cursor
	c.Reset(chat.Member(content, "parts"))
	if !c.Array() {
		return
	}
	for c.Elem() {
		if !c.Object() {
			c.Skip()
			continue
		}
		var p part
		for key, ok := c.Key(); ok; key, ok = c.Key() {
			switch string(key) {
			case "text":
				p.text = c.Str()
			case "thought":
				p.thought = string(c.Raw()) == "true"
			case "thoughtSignature":
				if p.signature = c.Str(); len(p.signature) <= 2 {
					p.signature = nil
				}
			case "functionCall":
				p.call = c.Raw()
			case "inlineData":
				p.inline = c.Raw()
			default:
				c.Skip()
			}
		}
		s.part(&p)
	}
}

func (s *scope) part(p *part) {
	ev := chat.Event{Choice: s.choice}
	switch {
	case p.call != nil:
		s.call(&ev, p)
	case p.thought:
		s.thought(&ev, p)
	default:
		if len(p.text) > 2 {
			ev.Content = p.text
			s.candidate.thinking = false
		}
		s.inline(&ev, p.inline)
		s.sign(&ev, p.signature, nil)
	}
	if ev.HasContent() {
		s.out = append(s.out, ev)
	}
}

// thought decodes a piece of a thought. Pieces in a row are one block.
func (s *scope) thought(ev *chat.Event, p *part) {
	if len(p.text) <= 2 {
		s.sign(ev, p.signature, nil)
		return
	}
	if !s.candidate.thinking {
		s.candidate.details++
	}
	s.candidate.thinking = p.signature == nil
	start := len(s.buf)
	s.buf = appendThought(s.buf, p.text, p.signature, s.candidate.details-1)
	ev.Reasoning, ev.Details = p.text, s.written(start)
}

// sign hands on a part's signature.
func (s *scope) sign(ev *chat.Event, data, id []byte) {
	if data == nil {
		return
	}
	start := len(s.buf)
	s.buf = appendEncrypted(s.buf, data, id, s.candidate.details)
	s.candidate.details++
	s.candidate.thinking = false
	ev.Details = s.written(start)
}

// inline decodes an image or sound, in the form that OpenRouter gives them.
func (s *scope) inline(ev *chat.Event, raw []byte) {
	mime, data := literal(raw, "mimeType"), literal(raw, "data")
	if mime == nil || data == nil {
		return
	}
	start := len(s.buf)
	if bytes.HasPrefix(mime, []byte(`"audio/`)) {
		s.buf = append(append(append(s.buf, `{"data":`...), data...), '}')
		ev.Audio = s.written(start)
		return
	}
	s.buf = append(append(s.buf, `[{"type":"image_url","image_url":{"url":"data:`...), rawjson.Inner(mime)...)
	s.buf = append(append(s.buf, `;base64,`...), data[1:]...)
	s.buf = strconv.AppendInt(append(s.buf, `},"index":`...), int64(s.candidate.images), 10)
	s.buf = append(s.buf, '}', ']')
	s.candidate.images++
	ev.Images = s.written(start)
}
