package messages

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
)

// details turns the thinking blocks of a turn into reasoning_details.
type details struct{ dst []byte }

func (d *details) add(block []byte, index int) {
	// The reasoning detail of another provider comes back in redacted_thinking,
	// which every client of this API keeps without looking into it.
	if detail := api.Unseal(chat.Member(block, "data")); len(detail) > 0 && detail[0] == '{' {
		d.dst = append(append(d.dst, ','), detail...)
		return
	}
	format := anthropic.Format
	if data := chat.Member(block, "data"); data != nil {
		d.dst = append(append(d.dst, `,{"type":"reasoning.encrypted","data":`...), data...)
	} else {
		d.dst = append(append(d.dst, `,{"type":"reasoning.text","text":`...), chat.Member(block, "thinking")...)
		if signature := chat.Member(block, "signature"); canonical.IsText(signature) {
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
