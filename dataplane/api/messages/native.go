package messages

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
)

// speaker is an adapter whose upstream speaks the Messages API.
type speaker interface {
	// EncodeMessages fills call with a client's own request.
	EncodeMessages(body []byte, call *codec.Call) error
}

// native passes on the answer of an upstream that speaks the Messages API, as
// it is but for the id and the model: what Anthropic adds to its API needs no
// change here.
type native struct {
	on      bool
	begun   bool
	start   []byte // the message_start that waits for the answer to begin
	stopped bool
	body    []byte // of an answer in one piece
}

// relayed returns a decoder whose events carry the upstream's own.
func relayed(d codec.Decoder) codec.Decoder {
	return codec.Relay(d, func(name []byte) bool { return string(name) == "message_start" || string(name) == "ping" })
}

// begin writes the message_start that has waited.
func (n *native) begin(dst []byte, h *api.Head) []byte {
	n.begun = true
	if n.start != nil {
		dst = api.AppendEvent(dst, []byte("message_start"), api.AppendOwnWithin(nil, n.start, "message", h))
		n.start = nil
	}
	return dst
}

// event writes an event. Before the answer has begun another endpoint may still
// have to give it.
func (n *native) event(dst []byte, ev *chat.Event, h *api.Head) []byte {
	switch {
	case ev.Raw == nil:
	case string(ev.RawName) == "message_start":
		n.start = bytes.Clone(ev.Raw)
		if n.begun {
			return n.begin(dst, h)
		}
	case n.begun:
		n.stopped = n.stopped || string(ev.RawName) == "message_stop"
		return api.AppendEvent(dst, ev.RawName, ev.Raw)
	}
	return dst
}

// end completes a stream whose upstream left out the last event.
func (n *native) end(dst []byte) []byte {
	if n.stopped {
		return dst
	}
	return append(dst, messageStop...)
}

const messageStop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
