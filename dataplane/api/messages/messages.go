// Package messages is Anthropic's Messages API: it turns requests into the
// canonical form, whatever provider will answer them, and the events of an
// answer into streams and messages. A request that an Anthropic endpoint answers
// goes there as the client has sent it.
package messages

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Language returns POST messages.
func Language() *api.Language {
	return &api.Language{
		Operation: "chat", Rivals: true,
		New:         func() api.Translator { return &translator{} },
		AppendError: appendError,
	}
}

// translator implements api.Translator.
type translator struct {
	body   []byte // as the client has sent it
	header api.Header

	req       chat.Request
	canonical []byte // the body of req
	// refusal says why the request has no canonical form, nil if it has one. An
	// upstream that speaks this API may know better.
	refusal error
	// omitted names what a translation leaves out.
	omitted []string
	stream  stream
	answer  answer
}

// Parse implements api.Translator.
func (t *translator) Parse(body []byte, h api.Header) error {
	t.body, t.header = body, h
	t.answer.Reset()
	m, err := read(body)
	if err != nil {
		return err
	}
	if session := m.session(); m["session_id"] == nil && session != "" && !namesSession(h) {
		m["session_id"] = rawjson.AppendString(nil, session)
	}
	if t.canonical, t.omitted, err = m.canonical(t.canonical[:0]); err == nil {
		err = t.req.Parse(t.canonical)
	}
	if err == nil {
		return nil
	}
	t.refusal = err
	if t.canonical, err = m.outline(t.canonical[:0]); err != nil {
		return err
	}
	return t.req.Parse(t.canonical)
}

// namesSession reports whether a header names the conversation: it has precedence.
func namesSession(h api.Header) bool {
	for _, name := range []string{"X-Session-Id", "X-Claude-Code-Session-Id", "Session-Id", "Session_id"} {
		if len(h.Peek(name)) > 0 {
			return true
		}
	}
	return false
}

// Name implements api.Translator.
func (t *translator) Name() string { return "messages" }

// Request implements api.Translator.
func (t *translator) Request() *chat.Request { return &t.req }

// Encode implements api.Translator.
func (t *translator) Encode(a codec.Adapter, call *codec.Call) error {
	s, ok := a.(speaker)
	t.stream.native = native{on: ok}
	if !ok {
		if t.refusal != nil {
			return t.refusal
		}
		call.Omitted = append(call.Omitted, t.omitted...)
		return a.Encode(&t.req, call)
	}
	if err := s.EncodeMessages(t.body, call); err != nil {
		return err
	}
	t.addHeaders(call)
	return nil
}

// addHeaders passes on the client's choice of betas and version.
func (t *translator) addHeaders(call *codec.Call) {
	if betas := t.header.Peek("Anthropic-Beta"); len(betas) > 0 {
		call.Headers = append(call.Headers, codec.Header{Name: "anthropic-beta", Value: string(betas)})
	}
	if version := t.header.Peek("Anthropic-Version"); len(version) > 0 {
		for i := range call.Headers {
			if call.Headers[i].Name == "anthropic-version" {
				call.Headers[i].Value = string(version)
			}
		}
	}
}

// Decoder implements api.Translator.
func (t *translator) Decoder(a codec.Adapter) codec.Decoder {
	// Most servers report usage only at the end: until then it is estimated.
	t.stream.prompt = chat.Usage{Prompt: int64(len(t.req.Messages)+3) / 4}
	d := codec.DecoderFor(a, &t.req)
	if t.stream.native.on {
		return relayed(d)
	}
	return d
}

// Streamed implements api.Translator.
func (t *translator) Streamed() bool { return t.req.Stream }

// Stream implements api.Translator.
func (t *translator) Stream() api.Stream {
	t.stream.Reset()
	return &t.stream
}

// Gather implements api.Translator.
func (t *translator) Gather(ev *chat.Event) {
	if !t.stream.native.on {
		t.answer.Event(ev)
	} else if ev.Raw != nil {
		t.stream.native.body = ev.Raw
	}
}

// Append implements api.Translator.
func (t *translator) Append(dst []byte, h api.Head, total *api.Total) []byte {
	if t.stream.native.on {
		return api.AppendOwn(dst, t.stream.native.body, &h)
	}
	return t.answer.Append(dst, h.ID, h.Model, &total.Usage)
}

// Reset implements api.Translator.
func (t *translator) Reset() {
	t.body, t.header, t.refusal, t.omitted = nil, nil, nil, nil
	t.stream.native = native{}
	t.req.Reset()
	t.canonical, t.stream.buf = api.Bounded(t.canonical), api.Bounded(t.stream.buf)
}
