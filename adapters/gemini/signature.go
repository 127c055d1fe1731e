package gemini

import (
	"bytes"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// A thought signature belongs to one part of an answer and has to come back
// on that part. Clients carry it as an encrypted reasoning detail: with the
// tool call's id if it belongs to a call, without an id if to a text. A signed
// thought is a reasoning.text with a signature.

// format marks the details of this family; those of others are not for Google.
const format = `"google-gemini-v1"`

// signatures are those of one earlier answer, in their order.
type signatures struct {
	calls    []signature
	texts    []chat.Literal
	thoughts []signedThought
}

type signature struct{ id, data chat.Literal }

type signedThought struct{ text, signature chat.Literal }

// readSignatures reads a raw array of reasoning_details.
func readSignatures(details []byte) signatures {
	var s signatures
	if len(details) == 0 {
		return s
	}
	var c rawjson.Cursor
	c.Reset(details)
	for c.Array(); c.Elem(); {
		s.add(c.Raw())
	}
	return s
}

func (s *signatures) add(detail []byte) {
	if string(chat.Member(detail, "format")) != format {
		return
	}
	switch string(chat.Member(detail, "type")) {
	case `"reasoning.encrypted"`:
		data, id := literal(detail, "data"), literal(detail, "id")
		switch {
		case len(data) == 0:
		case len(id) > 0:
			s.calls = append(s.calls, signature{id, data})
		default:
			s.texts = append(s.texts, data)
		}
	case `"reasoning.text"`:
		if sig, text := literal(detail, "signature"), literal(detail, "text"); len(sig) > 0 && len(text) > 0 {
			s.thoughts = append(s.thoughts, signedThought{text, sig})
		}
	}
}

// literal returns a member that is a string with something in it, else nil.
func literal(obj []byte, name string) chat.Literal {
	raw := chat.Member(obj, name)
	if len(raw) <= 2 || raw[0] != '"' {
		return nil
	}
	return raw
}

// of returns a call's signature, nil if there is none. Clients of Google's
// OpenAI-compatible layer keep it inside the call.
func (s *signatures) of(call *chat.Call) chat.Literal {
	for i := range s.calls {
		if bytes.Equal(s.calls[i].id, call.ID) {
			return s.calls[i].data
		}
	}
	return literal(chat.Member(chat.Member(call.Raw, "extra_content"), "google"), "thought_signature")
}

// appendThought appends a reasoning.text detail; signature may be nil.
func appendThought(dst, text, signature []byte, index int) []byte {
	dst = append(append(dst, `[{"type":"reasoning.text","text":`...), text...)
	if signature != nil {
		dst = appendMember(dst, "signature", signature)
	}
	return appendFormat(dst, index)
}

// appendEncrypted appends a reasoning.encrypted detail; id may be nil.
func appendEncrypted(dst, data, id []byte, index int) []byte {
	dst = append(append(dst, `[{"type":"reasoning.encrypted","data":`...), data...)
	if id != nil {
		dst = appendMember(dst, "id", id)
	}
	return appendFormat(dst, index)
}

func appendFormat(dst []byte, index int) []byte {
	dst = appendMember(dst, "format", []byte(format))
	dst = strconv.AppendInt(appendKey(dst, "index"), int64(index), 10)
	return append(dst, '}', ']')
}
