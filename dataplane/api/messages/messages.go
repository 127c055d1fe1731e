// Package messages is Anthropic's Messages API: it turns requests into the
// canonical form, whatever provider will answer them, and the events of an
// answer into streams and messages. A request that an Anthropic endpoint answers
// goes there as the client has sent it.
package messages

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
)

// Language returns POST messages.
func Language() *api.Language {
	return &api.Language{New: func() api.Translator { return &translator{} }, AppendError: appendError}
}

// translator implements api.Translator.
type translator struct {
	body   []byte // as the client has sent it
	header api.Header

	req       chat.Request
	canonical []byte // the body of req
	stream    stream
	answer    answer
}

// Parse implements api.Translator.
func (t *translator) Parse(body []byte, h api.Header) error {
	t.body, t.header = body, h
	t.answer.Reset()
	var err error
	if t.canonical, err = canonical(t.canonical[:0], body); err != nil {
		return err
	}
	return t.req.Parse(t.canonical)
}

// Name implements api.Translator.
func (t *translator) Name() string { return "messages" }

// Request implements api.Translator.
func (t *translator) Request() *chat.Request { return &t.req }

// native is an adapter whose upstream speaks the Messages API.
type native interface {
	EncodeMessages(body []byte, call *codec.Call) error
}

// Encode implements api.Translator.
func (t *translator) Encode(a codec.Adapter, call *codec.Call) error {
	n, ok := a.(native)
	if !ok {
		return a.Encode(&t.req, call)
	}
	if betas := t.header.Peek("Anthropic-Beta"); len(betas) > 0 {
		call.Headers = append(call.Headers, codec.Header{Name: "anthropic-beta", Value: string(betas)})
	}
	return n.EncodeMessages(t.body, call)
}

// Decoder implements api.Translator.
func (t *translator) Decoder(a codec.Adapter) codec.Decoder {
	t.stream.prompt = chat.Usage{} // which an endpoint has told that then failed
	return codec.DecoderFor(a, &t.req)
}

// Streamed implements api.Translator.
func (t *translator) Streamed() bool { return t.req.Stream }

// Stream implements api.Translator.
func (t *translator) Stream() api.Stream {
	t.stream.Reset()
	return &t.stream
}

// Gather implements api.Translator.
func (t *translator) Gather(ev *chat.Event) { t.answer.Event(ev) }

// Append implements api.Translator.
func (t *translator) Append(dst []byte, h api.Head, total *api.Total) []byte {
	return t.answer.Append(dst, h.ID, h.Model, &total.Usage)
}

// Reset implements api.Translator.
func (t *translator) Reset() {
	t.body, t.header = nil, nil
	t.req.Reset()
	t.canonical, t.stream.buf = api.Bounded(t.canonical), api.Bounded(t.stream.buf)
}
