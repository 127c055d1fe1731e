package anthropic

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
)

// think passes thinking on as text and as reasoning_details, which carry the
// signature and redacted blocks back in the next turn.
func (d *decoder) think(b *piece, out []chat.Event) []chat.Event {
	if len(b.thinking) <= 2 && len(b.signature) <= 2 && len(b.data) <= 2 {
		return out
	}
	start := len(d.buf)
	d.buf = append(d.buf, `[{"type":"reasoning.`...)
	var ev chat.Event
	if len(b.data) > 2 {
		d.buf = append(append(d.buf, `encrypted","data":`...), b.data...)
	} else {
		d.buf = append(d.buf, `text"`...)
		if len(b.thinking) > 2 {
			ev.Reasoning = b.thinking
			d.buf = append(append(d.buf, `,"text":`...), b.thinking...)
		}
		if len(b.signature) > 2 {
			d.buf = append(append(d.buf, `,"signature":`...), b.signature...)
		}
	}
	d.buf = append(d.buf, `,"format":"`+Format+`","index":`...)
	d.buf = append(strconv.AppendInt(d.buf, int64(d.open.index), 10), '}', ']')
	ev.Details = d.buf[start:]
	return append(out, ev)
}
