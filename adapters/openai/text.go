package openai

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/markup"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// structure takes the markup out of an event's content. Text without any is
// left as the literal it is.
func (d *decoder) structure(ev *chat.Event) {
	if len(ev.Content) <= 2 {
		return
	}
	p := d.parser(ev.Choice)
	if p.Plain() && plain(ev.Content, p.KeepsSpace()) {
		return
	}
	content := rawjson.Unquote(nil, ev.Content)
	ev.Content = nil
	d.add(ev, p.Write(content, nil))
}

// flush adds what the parser held back: the choice is at its end.
func (d *decoder) flush(ev *chat.Event) { d.add(ev, d.parser(ev.Choice).Close(nil)) }

func (d *decoder) parser(choice int) *markup.Parser {
	for len(d.parsers) <= choice {
		d.parsers = append(d.parsers, nil)
	}
	if d.parsers[choice] == nil {
		d.parsers[choice] = markup.New(d.dialect, d.schemas)
	}
	return d.parsers[choice]
}

// plain reports whether a literal has no tag in it, and no white space at its
// end if that counts.
func plain(lit []byte, space bool) bool {
	if bytes.IndexByte(lit, '<') >= 0 || bytes.Contains(lit, []byte(`\u00`)) {
		return false
	}
	n := len(lit) // of at least three bytes
	return !space || lit[n-2] != ' ' && (lit[n-3] != '\\' || bytes.IndexByte([]byte("nrt"), lit[n-2]) < 0)
}

// add joins pieces to an event.
func (d *decoder) add(ev *chat.Event, pieces []markup.Piece) {
	for _, p := range pieces {
		switch p.Kind {
		case markup.Text:
			ev.Content = extend(ev.Content, p.Text)
		case markup.Thought:
			ev.Reasoning = extend(ev.Reasoning, p.Text)
		case markup.Call:
			t := chat.ToolDelta{
				Index: -1, Name: rawjson.AppendString(nil, p.Name), Arguments: rawjson.AppendString(nil, p.Arguments),
			}
			d.calls.place(ev.Choice, &t, true)
			ev.Tools = append(ev.Tools, t)
		}
	}
}

// extend returns a new literal with text behind what lit has.
func extend(lit chat.Literal, text []byte) chat.Literal {
	out := make(chat.Literal, 0, len(lit)+len(text)+len(text)/8+2)
	out = append(append(out, '"'), rawjson.Inner(lit)...)
	return append(rawjson.AppendEscaped(out, text), '"')
}
