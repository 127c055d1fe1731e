package openai

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/markup"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// structure takes the markup out of an event's content, and calls out of its
// reasoning. Text without any is left as the literal it is.
func (d *decoder) structure(ev *chat.Event) {
	thought := ev.Reasoning
	if d.dialect&markup.Reasoned != 0 && len(thought) > 2 {
		if p := d.thinker(ev.Choice); !p.Plain() || !plain(thought, true) {
			ev.Reasoning = nil
			d.add(ev, p.Write(rawjson.Unquote(nil, thought), nil), true)
		}
	}
	if len(thought) > 2 && d.dialect&(markup.CloseOnly|markup.Opened) != 0 {
		d.parser(ev.Choice).Apart()
	}
	if len(ev.Content) <= 2 {
		return
	}
	p := d.parser(ev.Choice)
	if plain(ev.Content, p.KeepsSpace()) && (p.Plain() || ev.Content[1] != '\\' && p.Passes(ev.Content[1])) {
		return
	}
	content := rawjson.Unquote(nil, ev.Content)
	ev.Content = nil
	d.add(ev, p.Write(content, nil), false)
}

// flush adds what the parsers held back: the choice is at its end.
func (d *decoder) flush(ev *chat.Event) {
	if ev.Choice < len(d.thoughts) && d.thoughts[ev.Choice] != nil {
		d.add(ev, d.thoughts[ev.Choice].Close(nil), true)
	}
	d.add(ev, d.parser(ev.Choice).Close(nil), false)
}

// parser takes a choice's content apart, thinker its reasoning.
func (d *decoder) parser(choice int) *markup.Parser {
	if choice == 0 {
		if !d.parsing {
			d.parsing = true
			d.first.Start(d.dialect, d.schemas)
		}
		return &d.first
	}
	return parserOf(&d.parsers, choice, d.dialect, d.schemas)
}

func (d *decoder) thinker(choice int) *markup.Parser {
	return parserOf(&d.thoughts, choice, d.dialect&markup.Reasoned, d.schemas)
}

func parserOf(list *[]*markup.Parser, choice int, dialect markup.Dialect, tools []byte) *markup.Parser {
	for len(*list) <= choice {
		*list = append(*list, nil)
	}
	if (*list)[choice] == nil {
		(*list)[choice] = markup.New(dialect, tools)
	}
	return (*list)[choice]
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

// add joins pieces to an event. Those of the reasoning have thoughts for text.
func (d *decoder) add(ev *chat.Event, pieces []markup.Piece, reasoning bool) {
	for _, p := range pieces {
		switch {
		case p.Kind == markup.Thought, p.Kind == markup.Text && reasoning:
			ev.Reasoning = extend(ev.Reasoning, p.Text)
		case p.Kind == markup.Text:
			ev.Content = extend(ev.Content, p.Text)
		case p.Kind == markup.Call:
			t := chat.ToolDelta{
				Index: -1, Name: rawjson.AppendString(nil, p.Name), Arguments: rawjson.AppendString(nil, p.Arguments),
			}
			if p.ID != nil {
				t.ID = rawjson.AppendString(nil, p.ID)
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
