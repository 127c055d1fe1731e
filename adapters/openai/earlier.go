package openai

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// takesCustom reports whether the server knows tools of free text.
func (a *Adapter) takesCustom() bool { return slices.Contains(a.profile.toolTypes, "custom") }

// calls appends the tool calls of an earlier turn as the server takes them.
func (m *messages) calls(dst, list []byte) []byte {
	list = m.signed(list)
	if !m.takesCustom() && bytes.Contains(list, []byte(`"custom"`)) {
		list = functionCalls(list)
	}
	if m.profile.parsesCalls {
		return m.appendCalls(dst, list)
	}
	return append(dst, list...)
}

// functionCalls returns calls with those of tools of free text as functions of
// one argument, which is what these tools have gone out as.
func functionCalls(list []byte) []byte {
	out := []byte{'['}
	for call := range rawjson.Elements(list) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		custom := chat.CustomCall(call)
		if custom == nil {
			out = append(out, call...)
			continue
		}
		out = append(append(out, `{"type":"function","id":`...), chat.Member(call, "id")...)
		out = append(append(out, `,"function":{"name":`...), chat.Member(custom, "name")...)
		out = append(appendMember(out, "arguments", chat.CustomArguments(chat.Member(custom, "input"))), '}', '}')
	}
	return append(out, ']')
}

// takesOwnImages reports whether images that the assistant made go back to it.
func (a *Adapter) takesOwnImages() bool {
	return a.profile.ownImages && a.settings.Inputs&chat.HasImage != 0
}

// noteImages puts a text in the place of images that the assistant made, where
// they do not go back.
func (m *messages) noteImages() {
	var content, images []byte
	at := -1
	for i, f := range m.members {
		switch string(f.key) {
		case "content":
			content, at = f.value, i
		case "images":
			images = array(f.value)
		}
	}
	if images == nil || m.takesOwnImages() || string(m.role) != `"assistant"` {
		return
	}
	if at < 0 {
		m.members = append(m.members, member{key: []byte("content")})
		at = len(m.members) - 1
	}
	m.members[at].value = chat.WithImageNote(content)
}

// appendCalls copies the tool calls of an earlier turn. Arguments that are not
// the text of a JSON object, which models do write and templates choke on,
// are kept in an object that is one.
func (m *messages) appendCalls(dst, list []byte) []byte {
	var c rawjson.Cursor
	c.Reset(list)
	if !c.Array() {
		return append(dst, list...)
	}
	dst = append(dst, '[')
	for n := 0; c.Elem(); n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		call := c.Raw()
		if m.profile.shortIDs {
			call = appendWith(nil, call, "id", appendShortID(nil, chat.Member(call, "id")))
		}
		function := chat.Member(call, "function")
		arguments := chat.Member(function, "arguments")
		if len(function) == 0 || isObjectText(arguments) {
			dst = append(dst, call...)
			continue
		}
		var text []byte
		if len(arguments) > 0 && arguments[0] == '{' { // given as an object
			text = rawjson.AppendString(nil, arguments)
		} else {
			text = rawjson.AppendString(nil, chat.AppendArguments(nil, arguments))
		}
		dst = appendWith(dst, call, "function", appendWith(nil, function, "arguments", text))
	}
	return append(dst, ']')
}

// appendShortID appends a call's id as nine letters and digits: the id itself,
// if it is that, else a hash of it, the same for the call and its result.
func appendShortID(dst, id []byte) []byte {
	const length = 9
	in := rawjson.Inner(id)
	if len(in) == length && !bytes.ContainsFunc(in, func(r rune) bool { return !isAlnum(r) }) {
		return append(dst, id...)
	}
	sum := sha256.Sum256(in)
	return append(hex.AppendEncode(append(dst, '"'), sum[:])[:len(dst)+1+length], '"')
}

func isAlnum(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

func isObjectText(lit []byte) bool {
	text := rawjson.Unquote(nil, lit)
	var c rawjson.Cursor
	c.Reset(text)
	if c.Kind() != rawjson.Object {
		return false
	}
	c.Skip()
	return c.End() == nil
}

// appendTagged writes content with a thought in think tags ahead of it: how
// the model wrote it in the first place. tags is the inside of a literal.
func appendTagged(dst, tags, content []byte) []byte {
	if len(content) > 0 && content[0] == '[' {
		dst = append(append(append(dst, `[{"type":"text","text":"`...), tags...), `"}`...)
		var c rawjson.Cursor
		c.Reset(content)
		for c.Array(); c.Elem(); {
			dst = append(append(dst, ','), c.Raw()...)
		}
		return append(dst, ']')
	}
	dst = append(append(dst, '"'), tags...)
	return append(append(dst, rawjson.Inner(content)...), '"')
}
