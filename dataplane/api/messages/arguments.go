package messages

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// arguments takes in the arguments of the open call, and gives out what clients
// can add up to an object: members when they are complete, as Anthropic's API
// does itself, so that a value that was cut off is never taken for an entire
// one. What turns out not to be an object goes out as one with its text.
type arguments struct {
	// text is all of the arguments so far, given how much of it was given out: up
	// to a comma between members. Texts are the insides of literals.
	text   []byte
	given  int
	broken bool

	depth    int
	begun    bool
	inString bool
	escaped  bool
	// out and plain are memory for texts.
	out, plain []byte
}

// reset prepares for another call and keeps the memory.
func (a *arguments) reset() {
	*a = arguments{text: a.text[:0], out: a.out[:0], plain: a.plain[:0]}
}

// complete reports whether the object is at its end.
func (a *arguments) complete() bool { return a.begun && a.depth == 0 }

// feed takes in a fragment and returns the members that it completes.
func (a *arguments) feed(text []byte) []byte {
	base, from := len(a.text), a.given
	a.text = append(a.text, text...)
	for i := 0; i < len(text); i++ {
		at, ch := base+i, text[i]
		if ch == '\\' && i+1 < len(text) {
			i++
			switch ch = text[i]; ch {
			case '"', '\\', '/':
			case 'u':
				ch = unicode(text[i:])
				i = min(i+4, len(text)-1)
			default:
				ch = ' ' // a line end or a tab
			}
		}
		if a.step(ch); ch == ',' && a.depth == 1 && !a.inString && !a.broken {
			if a.broken = !a.valid(a.text[a.given:at], "}"); !a.broken {
				a.given = at
			}
		}
	}
	return a.text[from:a.given]
}

// valid reports whether a part of the text, from where the last one ended, makes
// an object of members with what else it needs.
func (a *arguments) valid(part []byte, end string) bool {
	a.plain = a.plain[:0]
	if a.given > 0 { // part begins with a comma
		a.plain = append(a.plain, `{"":0`...)
	}
	a.plain = append(rawjson.AppendUnescaped(a.plain, part), end...)
	return chat.IsObject(a.plain)
}

// end returns what is left of the arguments: they are at their end. None at
// all, white space and null are an object without members.
func (a *arguments) end() []byte {
	switch {
	case len(a.text) == 0:
		return nil
	case !a.broken && a.valid(a.text[a.given:], ""):
		return a.text[a.given:]
	}
	a.plain = chat.AppendArguments(a.plain[:0], append(append([]byte{'"'}, a.text...), '"'))
	if a.given > 0 { // behind the members that are complete
		a.plain[0] = ','
	}
	a.out = rawjson.AppendEscaped(a.out[:0], a.plain)
	return a.out
}

// unicode returns the character of uXXXX if it is one that JSON is made of.
func unicode(text []byte) byte {
	const digits = 4
	if len(text) <= digits {
		return 'x'
	}
	n, err := strconv.ParseUint(string(text[1:1+digits]), 16, 16)
	if err != nil || n > 0x7f {
		return 'x'
	}
	return byte(n)
}

func (a *arguments) step(ch byte) {
	switch {
	case a.escaped:
		a.escaped = false
	case a.inString && ch == '\\':
		a.escaped = true
	case ch == '"':
		a.inString = !a.inString
	case a.inString:
	case ch == '{' || ch == '[':
		a.depth++
		a.begun = true
	case ch == '}' || ch == ']':
		a.depth--
	}
}
