package anthropic

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Format marks reasoning_details that Claude made and that only Claude can
// verify.
const Format = "anthropic-claude-v1"

// thought is a thinking block on its way back to the model that made it.
type thought struct {
	index []byte
	// text is the inside of a literal, joined if it is no longer the client's
	// bytes; signature is a literal.
	text      []byte
	joined    bool
	signature []byte
	// data is a literal: the block is redacted.
	data []byte
}

// thoughtsOf rebuilds the thinking blocks from reasoning_details. A client that
// streamed has them in fragments: texts and the signature of one block share an
// index. A block without a signature would be refused, and so would one that
// another family signed.
func thoughtsOf(details []byte) []thought {
	var out []thought
	for item := range rawjson.Elements(details) {
		if string(rawjson.Inner(chat.Member(item, "format"))) == Format {
			out = addDetail(out, item)
		}
	}
	signed := out[:0]
	for _, t := range out {
		if len(t.signature) > 2 || len(t.data) > 2 {
			signed = append(signed, t)
		}
	}
	return signed
}

func addDetail(out []thought, item []byte) []thought {
	index := chat.Member(item, "index")
	switch string(rawjson.Inner(chat.Member(item, "type"))) {
	case "reasoning.encrypted":
		return append(out, thought{index: index, data: str(chat.Member(item, "data"))})
	case "reasoning.text":
		t := unfinished(out, index)
		if t == nil {
			out = append(out, thought{index: index})
			t = &out[len(out)-1]
		}
		t.add(rawjson.Inner(str(chat.Member(item, "text"))))
		if sig := str(chat.Member(item, "signature")); len(sig) > 2 {
			t.signature = sig
		}
	}
	return out
}

func (t *thought) add(text []byte) {
	if len(t.text) == 0 {
		t.text = text
		return
	}
	if !t.joined {
		t.text, t.joined = bytes.Clone(t.text), true
	}
	t.text = append(t.text, text...)
}

// unfinished returns the block that a fragment continues: the latest one, if it
// has the same index and its signature, which ends it, has not come.
func unfinished(out []thought, index []byte) *thought {
	if len(out) == 0 {
		return nil
	}
	t := &out[len(out)-1]
	if t.data != nil || t.signature != nil || !bytes.Equal(t.index, index) {
		return nil
	}
	return t
}

// str returns raw if it is a string literal.
func str(raw []byte) []byte {
	if len(raw) > 0 && raw[0] == '"' {
		return raw
	}
	return nil
}

func (t *thought) append(dst []byte) []byte {
	if t.data != nil {
		dst = append(append(dst, `{"type":"redacted_thinking","data":`...), t.data...)
		return append(dst, '}')
	}
	dst = append(append(dst, `{"type":"thinking","thinking":"`...), t.text...)
	dst = append(append(dst, `","signature":`...), t.signature...)
	return append(dst, '}')
}
