package responses

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// native passes on the answer of an endpoint that speaks Responses itself.
type native struct {
	on    bool
	begun bool
	// early are events from before the answer began: until then another endpoint
	// may have to answer.
	early []rawEvent
	body  []byte // of an answer in one piece
}

type rawEvent struct{ name, data []byte }

// begin writes the events that have waited.
func (n *native) begin(h *api.Head, e *events) {
	n.begun = true
	for _, ev := range n.early {
		n.write(ev, h, e)
	}
	n.early = nil
}

func (n *native) event(ev *chat.Event, h *api.Head, e *events) {
	switch {
	case ev.Raw == nil:
	case n.begun:
		n.write(rawEvent{ev.RawName, ev.Raw}, h, e)
	default:
		n.early = append(n.early, rawEvent{bytes.Clone(ev.RawName), bytes.Clone(ev.Raw)})
	}
}

// write passes on an event. Those that carry the complete response get our id and
// the client's name for the model.
func (n *native) write(ev rawEvent, h *api.Head, e *events) {
	data := ev.data
	switch string(ev.name) {
	case "response.created", "response.in_progress", "response.queued", "response.completed", "response.incomplete", "response.failed":
		data = api.AppendOwnWithin(nil, data, "response", h)
	}
	e.buf = api.AppendEvent(e.buf, ev.name, data)
	if number, ok := rawjson.Int(chat.Member(ev.data, "sequence_number")); ok {
		e.sequence = number + 1 // an event of ours that ends a broken stream comes next
	}
}
