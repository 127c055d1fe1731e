// Package markup reads what models write into their text where no server
// parses it: thoughts between think tags, and tool calls in the dialects of
// some model families. Text may be cut anywhere; the same pieces come out,
// joined, however it is cut.
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
	DSML                        // <｜DSML｜tool_calls><｜DSML｜invoke name="name"><｜DSML｜parameter name="k" string="true">v</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜tool_calls>
	Kimi                        // <|tool_calls_section_begin|><|tool_call_begin|>functions.name:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>

	// CloseOnly takes text up to a </think> for a thought, even if no <think>
	// came before it: some chat templates write that tag themselves. Text is held
	// back until it is clear which of both it is.
	CloseOnly
	// Opened takes text from its first byte on for a thought.
	Opened

	calls = GLM | Qwen | MiniMax | DSML | Kimi
	// Reasoned are calls that models also write into their reasoning. Their tags
	// are tokens of their own, so that prose cannot be mistaken for them.
	Reasoned = DSML | Kimi
)

// Kind is what a piece is.
type Kind uint8

// The kinds of pieces.
const (
	Text    Kind = iota // text of the answer
	Thought             // text of the reasoning
	Call                // a complete tool call
)

// Piece is a part of an answer. Its bytes are valid until the parser's next call.
type Piece struct {
	Kind Kind
	// Text is plain text, not a literal.
	Text []byte
	// ID, Name and Arguments describe a Call; Arguments is a JSON object, ID nil
	// where the dialect has none.
	ID, Name, Arguments []byte
}

// maxHeld bounds how much is held back for a tool call, or a thought without
// an opening tag, that does not end.
const maxHeld = 1 << 20

const (
	openThink, closeThink     = "<think>", "</think>"
	openCall, closeCall       = "<tool_call>", "</tool_call>"
	openFunction, endFunction = "<function=", "</function>"
	openMiniMax, closeMiniMax = "<minimax:tool_call>", "</minimax:tool_call>"
	openDSML, closeDSML       = "<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>"
	openDSML32, closeDSML32   = "<｜DSML｜function_calls>", "</｜DSML｜function_calls>" // DeepSeek V3.2
	openKimi, closeKimi       = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
	openKimiCall, endKimiCall = "<|tool_call_begin|>", "<|tool_call_end|>"
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
	// resume is the mode after white space, outer the mode around a call.
	resume, outer mode
	// settled means that no thought without an opening tag can come any more.
	settled bool
	// thought means that a thought was returned before, fresh that none was
	// returned of the block at hand.
	thought, fresh bool
}

// New returns a parser. tools is the request's raw array of tools; without it
// an argument that reads as JSON is taken for JSON.
func New(d Dialect, tools []byte) *Parser {
	p := new(Parser)
	p.Start(d, tools)
	return p
}

// Start makes p what New returns.
func (p *Parser) Start(d Dialect, tools []byte) {
	*p = Parser{dialect: d, tools: tools, settled: d&CloseOnly == 0}
	if d&Opened != 0 {
		p.mode, p.resume, p.fresh = between, thinking, true
	}
}

// Plain reports whether text without '<' would come back as it is, so that the
// caller need not take it apart.
func (p *Parser) Plain() bool { return p.mode == text && len(p.held) == p.used }

// Passes reports whether text without '<' that has this first byte would come back
// as it is. If so, the parser goes on as if it had: the caller need not take the
// text apart.
func (p *Parser) Passes(first byte) bool {
	const space = ' '
	if p.mode == start && p.settled && len(p.held) == p.used && first > space && first < 0x7f {
		p.mode = text // neither white space nor the beginning of a character of several bytes
	}
	return p.Plain()
}

// Apart means that reasoning comes apart from the text: no thought without an
// opening tag is to be expected.
func (p *Parser) Apart() {
	p.settled = true
	if p.mode == between && p.resume == thinking && p.dialect&Opened != 0 && !p.thought {
		p.mode, p.dialect = start, p.dialect&^Opened
	}
}

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
		if p.resume == thinking {
			return p.think(bytes.TrimSpace(rest), out)
		}
		return out
	case thinking:
		return p.think(bytes.TrimRight(rest, " \t\r\n"), out)
	case calling:
		return p.asWritten(rest, out)
	case start, text:
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

// answer looks for the next tag.
func (p *Parser) answer(out []Piece) []Piece {
	rest := p.held[p.used:]
	at := 0
	if p.holds() {
		at = p.seen
	}
	for {
		i := bytes.IndexByte(rest[at:], '<')
		if i < 0 {
			return p.plain(rest, len(rest), out)
		}
		at += i
		switch tag, complete := p.opening(rest[at:]); {
		case complete && tag == closeThink:
			return p.closeUnopened(rest, at, out)
		case complete:
			return p.open(rest, at, tag, out)
		case tag != "":
			return p.plain(rest, at, out) // perhaps a tag, once there is more
		}
		at++
	}
}

// holds reports whether the text so far may turn out to be a thought.
func (p *Parser) holds() bool { return p.mode == start && !p.settled }

// closeUnopened ends a thought whose opening tag the chat template wrote.
func (p *Parser) closeUnopened(rest []byte, at int, out []Piece) []Piece {
	p.used += at + len(closeThink)
	p.mode, p.resume, p.settled, p.fresh = between, start, true, true
	return p.think(bytes.Trim(rest[:at], " \t\r\n"), out)
}

// plain returns the first n bytes of rest as text, less the white space at
// their end if that may stand in front of a call.
func (p *Parser) plain(rest []byte, n int, out []Piece) []Piece {
	ready := rest[:n]
	if p.mode == start && len(bytes.TrimSpace(ready)) == 0 {
		return out
	}
	if p.holds() && len(rest) <= maxHeld {
		p.seen = n
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
	p.settled = true
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
	p.mode, p.outer, p.seen, p.closing = calling, text, 0, closingOf(tag)
	p.used += at // the tag belongs to what the call's parser gets
	return emit(Text, bytes.TrimRight(lead, " \t\r\n"), out)
}

func closingOf(tag string) string {
	switch tag {
	case openMiniMax:
		return closeMiniMax
	case openFunction:
		return endFunction
	case openDSML:
		return closeDSML
	case openDSML32:
		return closeDSML32
	case openKimi:
		return closeKimi
	case openKimiCall:
		return endKimiCall
	}
	return closeCall
}

// tags lists what is looked for in which dialect.
func tags() [9]struct {
	dialect Dialect
	tag     string
} {
	return [...]struct {
		dialect Dialect
		tag     string
	}{
		{Think, openThink},
		{CloseOnly, closeThink},
		{GLM | Qwen, openCall},
		{Qwen, openFunction},
		{MiniMax, openMiniMax},
		{DSML, openDSML},
		{DSML, openDSML32},
		{Kimi, openKimi},
		{Kimi, openKimiCall},
	}
}

// opening returns the tag that b begins with, or may begin with once there is
// more of it; "" if none.
func (p *Parser) opening(b []byte) (tag string, complete bool) {
	for _, o := range tags() {
		switch {
		case p.dialect&o.dialect == 0,
			o.tag == openThink && p.mode != start,
			o.tag == closeThink && !p.holds(),
			p.mode == thinking && o.dialect&Reasoned == 0:
			continue
		}
		n := min(len(b), len(o.tag))
		if string(b[:n]) == o.tag[:n] {
			return o.tag, n == len(o.tag)
		}
	}
	return "", false
}

// thoughts returns reasoning up to the closing tag, or to a call within it.
func (p *Parser) thoughts(out []Piece) []Piece {
	rest := p.held[p.used:]
	end := bytes.Index(rest, []byte(closeThink))
	limit := len(rest)
	if end >= 0 {
		limit = end
	}
	if at, tag, complete := p.callIn(rest[:limit], end >= 0); tag != "" {
		ready := bytes.TrimRight(rest[:at], " \t\r\n")
		if complete {
			p.used += at
			p.mode, p.outer, p.seen, p.closing = calling, thinking, 0, closingOf(tag)
		} else {
			p.used += len(ready)
		}
		return p.think(ready, out)
	}
	if end >= 0 {
		p.used += end + len(closeThink)
		p.mode, p.resume = between, start
		return p.think(bytes.TrimRight(rest[:end], " \t\r\n"), out)
	}
	ready := bytes.TrimRight(rest[:len(rest)-partial(rest, closeThink)], " \t\r\n")
	p.used += len(ready)
	return p.think(ready, out)
}

// callIn finds the first tag of a call in a thought; one that is cut off at
// the end of b counts unless the thought ends there.
func (p *Parser) callIn(b []byte, ends bool) (at int, tag string, complete bool) {
	for p.dialect&Reasoned != 0 {
		i := bytes.IndexByte(b[at:], '<')
		if i < 0 {
			break
		}
		at += i
		if tag, complete = p.opening(b[at:]); tag != "" && (complete || !ends) {
			return at, tag, complete
		}
		at++
	}
	return 0, "", false
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
	if p.resume == thinking && p.dialect&Opened != 0 && !p.thought && len(left) > 0 { // a model may repeat the tag
		n := min(len(left), len(openThink))
		if string(left[:n]) == openThink[:n] {
			if n == len(openThink) {
				p.used += n
				p.dialect &^= Opened
			}
			return
		}
	}
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
		if p.seen = len(rest); p.seen > maxHeld {
			p.used += len(rest)
			return p.asWritten(rest, out)
		}
		return out
	}
	end += from + len(p.closing)
	p.used += end
	found, ok := p.parse(rest[:end], nil)
	if !ok {
		return p.asWritten(rest[:end], out)
	}
	p.mode, p.resume = between, p.outer
	return append(out, found...)
}

// asWritten goes on behind what looked like a call.
func (p *Parser) asWritten(b []byte, out []Piece) []Piece {
	if p.mode = p.outer; p.outer == thinking {
		return p.think(b, out)
	}
	return emit(Text, b, out)
}
