package gemini

import (
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
)

// call decodes a function call, which always comes in one piece.
func (s *scope) call(ev *chat.Event, p *part) {
	name := chat.Member(p.call, "name")
	if len(name) <= 2 || name[0] != '"' {
		return
	}
	id := literal(p.call, "id")
	if id == nil {
		id = s.newID()
	}
	s.tools = append(s.tools, chat.ToolDelta{Index: s.candidate.calls, ID: id, Name: restoreName(name), Arguments: s.arguments(chat.Member(p.call, "args"))})
	ev.Tools = slices.Clip(s.tools[len(s.tools)-1:])
	s.candidate.calls++
	s.sign(ev, p.signature, id)
}

// newID makes an id for a call that has none.
func (s *scope) newID() chat.Literal {
	start := len(s.buf)
	s.buf = s.names.append(s.buf, s.data)
	return s.written(start)
}

// arguments returns a call's arguments as the literal of their text.
func (s *scope) arguments(args []byte) chat.Literal {
	if len(args) == 0 || args[0] != '{' {
		return chat.Literal(`"{}"`)
	}
	start := len(s.buf)
	s.buf = appendCompact(append(s.buf, '"'), args)
	s.buf = append(s.buf, '"')
	return s.written(start)
}

// appendCompact appends a JSON value as the inside of a string literal, less
// the white space between its tokens: unary answers are indented, streams are not.
func appendCompact(dst, raw []byte) []byte {
	inside := false
	for i := 0; i < len(raw); i++ {
		switch ch := raw[i]; {
		case ch == '"':
			inside = !inside
			dst = append(dst, '\\', '"')
		case ch == '\\': // what it escapes stays escaped
			i++
			dst = append(dst, '\\', '\\')
			if raw[i] == '"' || raw[i] == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, raw[i])
		case inside || ch != ' ' && ch != '\n' && ch != '\r' && ch != '\t':
			dst = append(dst, ch)
		}
	}
	return dst
}
