package openai

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// thoughts collects what a message of the history says of earlier reasoning.
type thoughts struct {
	plain, content, details []byte
	calls                   bool
}

// take keeps a member back if it carries reasoning.
func (t *thoughts) take(key, val []byte) bool {
	switch string(key) {
	case "reasoning":
		t.plain = val
	case "reasoning_content":
		t.content = val
	case "reasoning_details":
		t.details = val
	case "tool_calls":
		t.calls = !rawjson.IsNull(val)
		return false
	default:
		return false
	}
	return true
}

// append writes the reasoning in the form that the server wants back. The same
// text never goes out under two names unless the server reads only one of them.
func (t *thoughts) append(dst []byte, form historyForm) []byte {
	text := t.text()
	switch form {
	case historyBoth:
		if text != nil {
			dst = appendMember(dst, "reasoning", text)
			dst = appendMember(dst, "reasoning_content", text)
		}
	case historyPlain:
		if text != nil {
			dst = appendMember(dst, "reasoning", text)
		}
	case historyContent:
		if text != nil {
			dst = appendMember(dst, "reasoning_content", text)
		} else if t.calls {
			// a thinking server refuses tool calls of a history that lost its reasoning
			dst = appendMember(dst, "reasoning_content", []byte(`""`))
		}
	case historyDetails:
		if !rawjson.IsNull(t.details) {
			dst = appendMember(dst, "reasoning_details", t.details)
		}
		if text != nil {
			dst = appendMember(dst, "reasoning", text)
		}
	case historyDrop:
	}
	return dst
}

// text returns the reasoning as one literal, nil if there is none.
func (t *thoughts) text() []byte {
	for _, raw := range [][]byte{t.plain, t.content} {
		if len(raw) > 0 && raw[0] == '"' {
			return raw
		}
	}
	if rawjson.IsNull(t.details) {
		return nil
	}
	out := []byte{'"'}
	var c rawjson.Cursor
	c.Reset(t.details)
	for c.Array(); c.Elem(); {
		out = append(out, rawjson.Inner(chat.Member(c.Raw(), "text"))...)
	}
	if len(out) == 1 {
		return nil
	}
	return append(out, '"')
}
