package messages

// progress follows a call's arguments through their fragments, to tell when
// the object is complete.
type progress struct {
	depth    int
	begun    bool
	inString bool
	escaped  bool
}

func (p *progress) complete() bool { return p.begun && p.depth == 0 }

// feed reads a fragment: JSON text inside of a literal, so that each quote
// and backslash of it is escaped.
func (p *progress) feed(text []byte) {
	for i := 0; i < len(text); i++ {
		ch := text[i]
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
		p.step(ch)
	}
}

// unicode returns the character of uXXXX if it is one that JSON is made of.
func unicode(text []byte) byte {
	if len(text) < 5 {
		return 'x'
	}
	switch string(text[1:5]) {
	case "0022":
		return '"'
	case "005c", "005C":
		return '\\'
	}
	return 'x'
}

func (p *progress) step(ch byte) {
	switch {
	case p.escaped:
		p.escaped = false
	case p.inString && ch == '\\':
		p.escaped = true
	case ch == '"':
		p.inString = !p.inString
	case p.inString:
	case ch == '{' || ch == '[':
		p.depth++
		p.begun = true
	case ch == '}' || ch == ']':
		p.depth--
	}
}
