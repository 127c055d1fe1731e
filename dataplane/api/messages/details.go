package messages

import (
	"bytes"
	"encoding/base64"
	"strconv"

	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// sealed marks the data of a redacted_thinking block that is not Anthropic's:
// it holds another provider's reasoning detail, whose signature or ciphertext
// the client has to bring back, and redacted_thinking is what every client of
// this API keeps without looking into it.
const sealed = "gw1."

// appendSealed appends a detail as the literal for such a block's data.
func appendSealed(dst, detail []byte) []byte {
	dst = append(append(dst, '"'), sealed...)
	dst = base64.RawURLEncoding.AppendEncode(dst, detail)
	return append(dst, '"')
}

// unseal returns the detail in a literal, nil if there is none.
func unseal(literal []byte) []byte {
	text, ok := bytes.CutPrefix(rawjson.Inner(literal), []byte(sealed))
	if !ok {
		return nil
	}
	detail, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || rawjson.Valid(detail) != nil || detail[0] != '{' {
		return nil
	}
	return detail
}

// details turns the thinking blocks of a turn into reasoning_details.
type details struct{ dst []byte }

func (d *details) add(block []byte, index int) {
	if detail := unseal(chat.Member(block, "data")); detail != nil {
		d.dst = append(append(d.dst, ','), detail...)
		return
	}
	format := anthropic.Format
	if data := chat.Member(block, "data"); data != nil {
		d.dst = append(append(d.dst, `,{"type":"reasoning.encrypted","data":`...), data...)
	} else {
		d.dst = append(append(d.dst, `,{"type":"reasoning.text","text":`...), chat.Member(block, "thinking")...)
		if signature := chat.Member(block, "signature"); isText(signature) {
			d.dst = append(append(d.dst, `,"signature":`...), signature...)
		} else {
			format = "unknown" // a thought of a provider that signs none
		}
	}
	d.dst = append(append(d.dst, `,"format":"`...), format...)
	d.dst = strconv.AppendInt(append(d.dst, `","index":`...), int64(index), 10)
	d.dst = append(d.dst, '}')
}

// array returns the details, nil if there are none.
func (d *details) array() []byte {
	if len(d.dst) == 0 {
		return nil
	}
	d.dst[0] = '['
	return append(d.dst, ']')
}
