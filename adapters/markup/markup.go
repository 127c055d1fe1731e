// Package markup turns what models write into their text for want of a server
// that parses it: thoughts between think tags, and tool calls in the XML-like
// dialects of some model families. Text may be cut anywhere; however it is
// cut, the same pieces come out, joined.
package markup

import (
	"bytes"
	"slices"
)

// Dialect is a set of things to look for.
type Dialect uint8

// The dialects. Tool calls are found anywhere in the text, thoughts only ahead
// of it: an answer may speak of think tags.
const (
	Think   Dialect = 1 << iota // <think>...</think>
	GLM                         // <tool_call>name<arg_key>k</arg_key><arg_value>v</arg_value></tool_call>
	Qwen                        // <tool_call><function=name><parameter=k>v</parameter></function></tool_call>
	MiniMax                     // <minimax:tool_call><invoke name="name"><parameter name="k">v</parameter></invoke></minimax:tool_call>

	calls = GLM | Qwen | MiniMax
)

// Kind tells what a piece is.
type Kind uint8

// The kinds of pieces.
const (
	Text    Kind = iota // text of the answer
	Thought             // text of the reasoning
	Call                // a whole tool call
)

// Piece is a part of an answer. Its bytes are valid until the parser's next call.
type Piece struct {
	Kind Kind
	// Text is plain text, not a literal.
	Text []byte
	// Name and Arguments describe a Call; Arguments is a JSON object.
	Name, Arguments []byte
}

// maxCall bounds how much is held back for a tool call that does not end.
const maxCall = 1 << 20

const (
	openThink, closeThink     = "<think>", "</think>"
	openCall, closeCall       = "<tool_call>", "</tool_call>"
	openFunction, endFunction = "<function=", "</function>"
	openMiniMax, closeMiniMax = "<minimax:tool_call>", "</minimax:tool_call>"
)

type mode uint8

const (
	start    mode = iota // nothing but white space and thoughts so far
	text                 // in the answer
	thinking             // after an opening think tag
	calling              // after the opening tag of a call
	between              // behind a closing tag, where white space does not count
)

// Parser takes one choice's text apart.
type Parser struct {
	dialect Dialect
	// tools is the request's raw array of tools, for the types of arguments.
	tools []byte

	mode mode
	// held is the text that is not decided on yet, used what of it was last returned.
	held []byte
	used int
	// closing is the tag that ends the call at hand, seen how far it was looked for.
	closing string
	seen    int
	// resume is the mode after white space.
	resume mode
	// thought means that a thought was returned before, fresh that none was
	// returned of the block at hand.
	thought, fresh bool
}

// New returns a parser. tools is the request's raw array of tools; without it
// an argument that reads as JSON is taken for JSON.
func New(d Dialect, tools []byte) *Parser { return &Parser{dialect: d, tools: tools} }

// Plain reports whether text without '<' would come back as it is, so that the
// caller need not take it apart.
func (p *Parser) Plain() bool { return p.mode == text && len(p.held) == p.used }

// KeepsSpace reports whether white space at the end of a text is held back.
func (p *Parser) KeepsSpace() bool { return p.dialect&calls != 0 }

// Write takes in text and appends what is decided to out.
func (p *Parser) Write(in []byte, out []Piece) []Piece {
	p.held = append(slices.Delete(p.held, 0, p.used), in...)
	p.used = 0
	for {
		before, was := p.used, p.mode
		out = p.step(out)
		if p.used == before && p.mode == was {
			return out
		}
	}
}

// Close appends what was held back: the text is at its end.
func (p *Parser) Close(out []Piece) []Piece {
	rest := p.held[p.used:]
	p.used = len(p.held)
	switch p.mode {
	case between:
		return out
	case thinking:
		return p.think(bytes.TrimRight(rest, " \t\r\n"), out)
	case start, text, calling:
	}
	return emit(Text, rest, out)
}

// step goes on until nothing more can be said, or the mode changes.
func (p *Parser) step(out []Piece) []Piece {
	switch p.mode {
	case start, text:
		return p.answer(out)
	case thinking:
		return p.thoughts(out)
	case calling:
		return p.call(out)
	case between:
		p.space()
	}
	return out
}

func emit(kind Kind, b []byte, out []Piece) []Piece {
	if len(b) == 0 {
		return out
	}
	return append(out, Piece{Kind: kind, Text: b})
}

// answer looks for the next opening tag.
func (p *Parser) answer(out []Piece) []Piece {
	rest := p.held[p.used:]
	at := 0
	for {
		i := bytes.IndexByte(rest[at:], '<')
		if i < 0 {
			return p.plain(rest, len(rest), out)
		}
		at += i
		switch tag, whole := p.opening(rest[at:]); {
		case whole:
			return p.open(rest, at, tag, out)
		case tag != "":
			return p.plain(rest, at, out) // perhaps a tag, once there is more
		}
		at++
	}
}

// plain returns the first n bytes of rest as text, less the white space at
// their end if that may stand in front of a call.
func (p *Parser) plain(rest []byte, n int, out []Piece) []Piece {
	ready := rest[:n]
	if p.mode == start && len(bytes.TrimSpace(ready)) == 0 {
		return out
	}
	if p.dialect&calls != 0 {
		ready = bytes.TrimRight(ready, " \t\r\n")
	}
	if len(ready) == 0 {
		return out
	}
	p.mode = text
	p.used += len(ready)
	return emit(Text, ready, out)
}

// open begins what the tag at rest[at:] opens.
func (p *Parser) open(rest []byte, at int, tag string, out []Piece) []Piece {
	lead := rest[:at]
	if tag == openThink {
		if len(bytes.TrimSpace(lead)) > 0 { // not ahead of the text after all
			p.mode = text
			p.used += at + len(tag)
			return emit(Text, rest[:at+len(tag)], out)
		}
		p.mode, p.resume, p.fresh = between, thinking, true
		p.used += at + len(tag)
		return out
	}
	p.mode, p.seen = calling, 0
	switch tag {
	case openMiniMax:
		p.closing = closeMiniMax
	case openFunction:
		p.closing = endFunction
	default:
		p.closing = closeCall
	}
	p.used += at // the tag belongs to what the call's parser gets
	return emit(Text, bytes.TrimRight(lead, " \t\r\n"), out)
}

// opening returns the tag that b begins with, or may begin with once there is
// more of it; "" if none.
func (p *Parser) opening(b []byte) (tag string, whole bool) {
	for _, o := range []struct {
		dialect Dialect
		tag     string
	}{{Think, openThink}, {GLM | Qwen, openCall}, {Qwen, openFunction}, {MiniMax, openMiniMax}} {
		if p.dialect&o.dialect == 0 || o.dialect == Think && p.mode != start {
			continue
		}
		n := min(len(b), len(o.tag))
		if string(b[:n]) == o.tag[:n] {
			return o.tag, n == len(o.tag)
		}
	}
	return "", false
}

// thoughts returns reasoning up to the closing tag.
func (p *Parser) thoughts(out []Piece) []Piece {
	rest := p.held[p.used:]
	end := bytes.Index(rest, []byte(closeThink))
	if end >= 0 {
		p.used += end + len(closeThink)
		p.mode, p.resume = between, start
		return p.think(bytes.TrimRight(rest[:end], " \t\r\n"), out)
	}
	ready := bytes.TrimRight(rest[:len(rest)-partial(rest, closeThink)], " \t\r\n")
	p.used += len(ready)
	return p.think(ready, out)
}

// think returns reasoning; a second block is set off from the first.
func (p *Parser) think(b []byte, out []Piece) []Piece {
	if len(b) == 0 {
		return out
	}
	if p.fresh && p.thought {
		out = emit(Thought, []byte("\n\n"), out)
	}
	p.thought, p.fresh = true, false
	return emit(Thought, b, out)
}

// partial returns the length of the longest end of b that begins tag.
func partial(b []byte, tag string) int {
	for n := min(len(b), len(tag)-1); n > 0; n-- {
		if string(b[len(b)-n:]) == tag[:n] {
			return n
		}
	}
	return 0
}

// space passes over white space, and over the end of a call whose function
// came without its beginning.
func (p *Parser) space() {
	rest := p.held[p.used:]
	left := bytes.TrimLeft(rest, " \t\r\n")
	p.used += len(rest) - len(left)
	if p.resume == text {
		n := min(len(left), len(closeCall))
		if n > 0 && string(left[:n]) == closeCall[:n] {
			if n == len(closeCall) {
				p.used += n
			}
			return
		}
	}
	if len(left) > 0 {
		p.mode = p.resume
	}
}

// call waits for the end of a tool call and parses it. What cannot be parsed
// is text after all.
func (p *Parser) call(out []Piece) []Piece {
	rest := p.held[p.used:]
	from := max(0, p.seen-len(p.closing))
	end := bytes.Index(rest[from:], []byte(p.closing))
	if end < 0 {
		if p.seen = len(rest); p.seen > maxCall {
			p.mode = text
			p.used += len(rest)
			return emit(Text, rest, out)
		}
		return out
	}
	end += from + len(p.closing)
	p.used += end
	found, ok := p.parse(rest[:end], nil)
	if !ok {
		p.mode = text
		return emit(Text, rest[:end], out)
	}
	p.mode, p.resume = between, text
	return append(out, found...)
}
