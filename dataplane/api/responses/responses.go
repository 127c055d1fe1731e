// Package responses is OpenAI's Responses API as a client language. It keeps
// no state between requests: store is answered false, and what needs a stored
// response is refused.
package responses

import (
	"bytes"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// Language is the Responses API.
func Language() *api.Language {
	return &api.Language{
		Operation: "chat", Rivals: true,
		New:         func() api.Translator { return &translator{} },
		AppendError: func(dst []byte, p *problem.Problem) []byte { return p.Append(dst) },
	}
}

// translator implements api.Translator.
type translator struct {
	own     []byte // the body as the client has sent it
	request request
	body    []byte // the canonical request
	req     chat.Request

	// native is true of an attempt at an endpoint that speaks Responses.
	native native

	output output
	events events
	head   api.Head
	finish chat.Finish
}

// Parse implements api.Translator.
func (t *translator) Parse(body []byte, _ api.Header) error {
	if err := t.request.read(body); err != nil {
		return err
	}
	t.own = body
	var err error
	if t.body, err = t.request.canonical(t.body[:0]); err != nil {
		return err
	}
	t.output.reset(&t.request.tools, nil)
	t.output.suffix = unknownSuffix
	return t.req.Parse(t.body)
}

// Name implements api.Translator.
func (t *translator) Name() string { return "responses" }

// Request implements api.Translator.
func (t *translator) Request() *chat.Request { return &t.req }

// Encode implements api.Translator.
func (t *translator) Encode(a codec.Adapter, call *codec.Call) error {
	t.native = native{}
	if r, ok := a.(codec.Responder); ok && r.SpeaksResponses() {
		t.native.on = true
		return r.EncodeResponses(t.own, "", call)
	}
	call.Omitted = append(call.Omitted, t.request.dropped...)
	return a.Encode(&t.req, call)
}

// Decoder implements api.Translator.
func (t *translator) Decoder(a codec.Adapter) codec.Decoder {
	if r, ok := a.(codec.Responder); ok && t.native.on {
		return r.ResponsesDecoder()
	}
	return codec.DecoderFor(a, &t.req)
}

// Streamed implements api.Translator.
func (t *translator) Streamed() bool { return t.req.Stream }

// Stream implements api.Translator.
func (t *translator) Stream() api.Stream { return t }

// Reset implements api.Translator.
func (t *translator) Reset() {
	t.own, t.request, t.native = nil, request{}, native{}
	t.req.Reset()
	t.body, t.events.buf = api.Bounded(t.body), api.Bounded(t.events.buf)
	t.events.sequence = 0
	t.output.reset(nil, nil)
	t.head, t.finish = api.Head{}, chat.NotFinished
}

// suffixOf returns a generation id without its prefix: the ids of the items
// have it, so that they lead to the request.
func suffixOf(id string) string { return strings.TrimPrefix(id, "gen-") }

// unknownSuffix stands for the suffix until the generation is known. No JSON
// text contains this byte.
const unknownSuffix = "\x00"

func (t *translator) event(ev *chat.Event) {
	if ev.Finish != chat.NotFinished && ev.Choice == 0 {
		t.finish = ev.Finish
	}
	t.output.add(ev)
}

// Begin implements api.Stream.
func (t *translator) Begin(h api.Head) {
	t.head, t.output.suffix, t.output.events = h, suffixOf(h.ID), &t.events
	if t.native.on {
		t.native.begin(&t.head, &t.events)
		return
	}
	object := t.request.appendObject(nil, &t.head, &state{status: "in_progress"})
	t.events.response("response.created", object)
	t.events.response("response.in_progress", object)
}

// Event implements api.Stream.
func (t *translator) Event(ev *chat.Event) {
	if t.native.on {
		t.native.event(ev, &t.head, &t.events)
		return
	}
	t.event(ev)
}

// KeepAlive implements api.Stream.
func (t *translator) KeepAlive() { t.events.put(": keep-alive\n\n") }

// End implements api.Stream.
func (t *translator) End(total *api.Total) {
	if t.native.on {
		return // the provider's last event has said it all
	}
	s := t.end(total)
	t.events.response("response."+s.status, t.request.appendObject(nil, &t.head, s))
}

// Fail implements api.Stream.
func (t *translator) Fail(p *problem.Problem) {
	t.output.end("incomplete")
	t.events.response("response.failed", t.request.appendObject(nil, &t.head, &state{status: "failed", failed: p, items: t.output.items}))
}

// Buffer implements api.Stream.
func (t *translator) Buffer() *[]byte { return &t.events.buf }

// Gather implements api.Translator.
func (t *translator) Gather(ev *chat.Event) {
	if !t.native.on {
		t.event(ev)
	} else if ev.Raw != nil {
		t.native.body = ev.Raw
	}
}

// Append implements api.Translator.
func (t *translator) Append(dst []byte, h api.Head, total *api.Total) []byte {
	if t.native.on {
		return api.AppendOwn(dst, t.native.body, &h)
	}
	s := t.end(total)
	s.items = bytes.ReplaceAll(s.items, []byte(unknownSuffix), []byte(suffixOf(h.ID)))
	return t.request.appendObject(dst, &h, s)
}

// end finishes the output and says how the answer ended.
func (t *translator) end(total *api.Total) *state {
	s := &state{status: completed, total: total, finished: time.Now().Unix()}
	switch t.finish {
	case chat.FinishLength:
		s.status, s.reason = "incomplete", "max_output_tokens"
	case chat.FinishContentFilter:
		s.status, s.reason = "incomplete", "content_filter"
	case chat.FinishError:
		s.status, s.failed = "failed", problem.New(502, "provider_error", "The provider ended the answer with an error")
	case chat.NotFinished, chat.FinishStop, chat.FinishToolCalls:
	}
	itemStatus := s.status
	if itemStatus == "failed" {
		itemStatus = "incomplete"
	}
	t.output.end(itemStatus)
	s.items = t.output.items
	return s
}
