package anthropic

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Decoder implements codec.Adapter.
func (a *Adapter) Decoder() codec.Decoder { return &decoder{} }

// decoder holds what must be remembered from event to event of one answer.
type decoder struct {
	open  openBlock
	calls int // tool calls that the client has seen the start of
	// answered: the answer came as a call of answerTool.
	answered       bool
	finished, done bool

	usage chat.Usage
	tier  []byte // of service, a literal
	// input is the prompt without what was read from or written to the cache.
	input int64

	cites cites
	// buf and tools hold what the events of the current call point to.
	buf   []byte
	tools []chat.ToolDelta
}

// Event implements codec.Decoder.
func (d *decoder) Event(name, data []byte, out []chat.Event) ([]chat.Event, error) {
	d.buf, d.tools = d.buf[:0], d.tools[:0]
	var p payload
	if err := p.read(data); err != nil {
		return out, unreadable("The upstream's answer is not valid JSON", err)
	}
	if d.done {
		return out, nil
	}
	if p.kind == nil {
		p.kind = name
	}
	switch string(p.kind) {
	case "content_block_delta":
		return d.delta(&p, out), nil
	case "content_block_start":
		return d.start(&p, out), nil
	case "content_block_stop":
		return d.stop(out), nil
	case "message_start":
		return d.begin(&p, out)
	case "message_delta":
		return d.messageDelta(&p, out), nil
	case "message_stop":
		return d.end(out), nil
	case "message": // a proxy that does not stream sends a unary answer
		out, err := d.message(&p, out)
		if err != nil {
			return out, err
		}
		return d.end(out), nil
	}
	if p.failed || string(p.kind) == "error" {
		return out, faultOf(0, data)
	}
	return out, nil // a ping, or a kind of event that is new
}

// Body implements codec.Decoder.
func (d *decoder) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	d.buf, d.tools = d.buf[:0], d.tools[:0]
	body = bytes.TrimSpace(body)
	var p payload
	if err := p.read(body); err != nil {
		return out, unreadable("The upstream's answer is not valid JSON", err)
	}
	if p.failed || string(p.kind) == "error" {
		return out, faultOf(0, body)
	}
	out, err := d.message(&p, out)
	if err != nil {
		return out, err
	}
	return d.end(out), nil
}

// EOF implements codec.Decoder. After the stop reason an answer is complete, even
// without message_stop.
func (d *decoder) EOF(out []chat.Event) ([]chat.Event, error) {
	if d.finished && !d.done {
		return d.end(out), nil
	}
	if !d.done {
		return out, unreadable("The upstream ended the stream before the answer was complete", nil)
	}
	return out, nil
}

func unreadable(text string, err error) error {
	return &fault.Error{Kind: fault.Unavailable, Message: text, Err: err}
}

func (d *decoder) begin(p *payload, out []chat.Event) ([]chat.Event, error) {
	var m payload
	if err := m.read(p.message); err != nil {
		return out, unreadable("The upstream's answer begins without a message", err)
	}
	d.readUsage(m.usage)
	return append(out, chat.Event{ID: m.id, Usage: d.count(), ServiceTier: d.tier}), nil
}

// count returns the usage so far, nil before anything was counted.
func (d *decoder) count() *chat.Usage {
	if d.usage.Zero() {
		return nil
	}
	return &d.usage
}

func (d *decoder) messageDelta(p *payload, out []chat.Event) []chat.Event {
	var b piece
	b.read(p.delta)
	d.readUsage(p.usage)
	ev := chat.Event{Usage: d.count(), ServiceTier: d.tier}
	d.finish(&ev, b.stopReason, b.stopDetails)
	return append(out, ev)
}

// finish sets the finish reason, once.
func (d *decoder) finish(ev *chat.Event, reason, details []byte) {
	if reason == nil || d.finished {
		return
	}
	d.finished = true
	ev.Native, ev.Finish = reason, finishOf(reason)
	switch {
	case ev.Finish == chat.FinishToolCalls && d.answered && d.calls == 0:
		ev.Finish = chat.FinishStop // the only call was the answer
	case ev.Finish == chat.FinishContentFilter:
		if text := str(chat.Member(details, "explanation")); len(text) > 2 {
			ev.Refusal = text
		}
	}
}

func finishOf(reason []byte) chat.Finish {
	switch string(rawjson.Inner(reason)) {
	case "max_tokens", "model_context_window_exceeded":
		return chat.FinishLength
	case "tool_use":
		return chat.FinishToolCalls
	case "refusal", "guardrail_intervened", "content_filtered": // Bedrock's words, too
		return chat.FinishContentFilter
	}
	return chat.FinishStop // end_turn, stop_sequence, pause_turn
}

func (d *decoder) end(out []chat.Event) []chat.Event {
	d.done = true
	ev := chat.Event{Done: true}
	if !d.finished { // some imitations of the API leave out the reason
		d.finished = true
		ev.Finish = chat.FinishStop
		if d.calls > 0 {
			ev.Finish = chat.FinishToolCalls
		}
	}
	return append(out, ev)
}

// message decodes a unary answer: its blocks, as if each had been streamed in
// one piece.
func (d *decoder) message(p *payload, out []chat.Event) ([]chat.Event, error) {
	var c rawjson.Cursor
	c.Reset(p.content)
	if !c.Array() {
		return out, unreadable("The upstream's answer has no content", nil)
	}
	d.readUsage(p.usage)
	out = append(out, chat.Event{ID: p.id, Usage: d.count(), ServiceTier: d.tier})
	for n := 0; c.Elem(); n++ {
		block := payload{index: n, block: c.Raw()}
		out = d.stop(d.start(&block, out))
	}
	ev := chat.Event{Usage: d.count()}
	d.finish(&ev, p.stopReason, p.stopDetails)
	return append(out, ev), nil
}
