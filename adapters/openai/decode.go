package openai

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Decoder implements codec.Adapter.
func (a *Adapter) Decoder() codec.Decoder { return &decoder{} }

// decoder holds what must be remembered from chunk to chunk of one answer.
type decoder struct {
	calls    calls
	finished uint64 // choices that have had their finish reason
	usage    chat.Usage
	tools    []chat.ToolDelta // scratch of the current event
}

// Event implements codec.Decoder.
func (d *decoder) Event(name, data []byte, out []chat.Event) ([]chat.Event, error) {
	if string(data) == "[DONE]" {
		return append(out, chat.Event{Done: true}), nil
	}
	if string(name) == "error" {
		return out, inBand(data)
	}
	return d.chunk(data, out)
}

// Body implements codec.Decoder.
func (d *decoder) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	before := len(out)
	out, err := d.chunk(bytes.TrimSpace(body), out)
	if err != nil {
		return out, err
	}
	if d.finished == 0 {
		return out[:before], unreadable("The upstream's answer has no choices", nil)
	}
	return append(out, chat.Event{Done: true}), nil
}

// EOF implements codec.Decoder. Several servers end without [DONE].
func (d *decoder) EOF(out []chat.Event) ([]chat.Event, error) {
	if d.finished == 0 {
		return out, unreadable("The upstream ended the stream before the answer was complete", nil)
	}
	return append(out, chat.Event{Done: true}), nil
}

// chunk decodes a chat.completion.chunk or a whole chat.completion: they
// differ in the name of delta only.
func (d *decoder) chunk(data []byte, out []chat.Event) ([]chat.Event, error) {
	d.tools = d.tools[:0]
	base := len(out)
	var meta chat.Event
	var c rawjson.Cursor
	c.Reset(data)
	if !c.Object() {
		return out, unreadable("The upstream's answer is not a JSON object", nil)
	}
	var failure []byte
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "choices":
			out = d.choices(&c, out)
		case "usage":
			d.readUsage(&c)
		case "id":
			meta.ID = c.Str()
		case "system_fingerprint":
			meta.Fingerprint = c.Str()
		case "service_tier":
			meta.ServiceTier = c.Str()
		case "error", "base_resp", "detail", "message", "object":
			if raw := c.Raw(); failure == nil && isFailure(key, raw) {
				failure = raw
			}
		default:
			c.Skip()
		}
	}
	if err := c.End(); err != nil {
		return out[:base], unreadable("The upstream's answer is not valid JSON", err)
	}
	if failure != nil && len(out) == base {
		return out, inBand(data)
	}
	return d.finish(out, base, meta, failure, data)
}

// isFailure tells the members that announce an error from namesakes in a normal chunk.
func isFailure(key, raw []byte) bool {
	switch string(key) {
	case "error", "detail":
		return !rawjson.IsNull(raw)
	case "base_resp":
		code, ok := rawjson.Int(chat.Member(raw, "status_code"))
		return ok && code != 0
	case "object":
		return string(raw) == `"error"`
	}
	return false
}

// finish attaches what concerns the whole chunk to its last event.
func (d *decoder) finish(out []chat.Event, base int, meta chat.Event, failure, data []byte) ([]chat.Event, error) {
	if len(out) == base {
		out = append(out, chat.Event{})
	}
	last := &out[len(out)-1]
	last.ID, last.Fingerprint, last.ServiceTier = meta.ID, meta.Fingerprint, meta.ServiceTier
	if !d.usage.Zero() {
		last.Usage = &d.usage
	}
	if failure != nil {
		return out, inBand(data)
	}
	return out, nil
}

func (d *decoder) choices(c *rawjson.Cursor, out []chat.Event) []chat.Event {
	if !c.Array() {
		c.Skip()
		return out
	}
	for n := 0; c.Elem(); n++ {
		if !c.Object() {
			c.Skip()
			continue
		}
		out = append(out, chat.Event{Choice: n})
		d.choice(c, &out[len(out)-1])
	}
	return out
}

func (d *decoder) choice(c *rawjson.Cursor, ev *chat.Event) {
	var reason []byte
	firstTool := len(d.tools)
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "index":
			if n, ok := c.Int(); ok && n >= 0 && n < 64 {
				ev.Choice = int(n)
			}
		case "delta", "message":
			d.delta(c, ev)
		case "finish_reason":
			reason = c.Str()
		case "native_finish_reason":
			ev.Native = c.Str()
		case "logprobs":
			ev.Logprobs = notNull(c.Raw())
		case "error":
			if raw := c.Raw(); !rawjson.IsNull(raw) {
				ev.Fault = faultOf(0, raw)
			}
		default:
			c.Skip()
		}
	}
	ev.Tools = d.tools[firstTool:]
	for i := range ev.Tools {
		d.calls.place(ev.Choice, &ev.Tools[i])
	}
	if reason != nil {
		d.end(ev, reason)
	}
}

// end sets the finish reason, once for each choice whatever the server repeats.
func (d *decoder) end(ev *chat.Event, reason []byte) {
	bit := uint64(1) << ev.Choice
	if d.finished&bit != 0 || len(reason) <= 2 {
		return
	}
	d.finished |= bit
	if ev.Native == nil {
		ev.Native = reason
	}
	ev.Finish = finishOf(reason)
	if ev.Finish == chat.FinishError {
		ev.Fault = fault.New(fault.Unavailable, "The upstream broke off the answer (%s)", rawjson.Inner(reason))
	}
	if d.calls.any(ev.Choice) && ev.Finish == chat.FinishStop {
		ev.Finish = chat.FinishToolCalls // older servers say stop after a forced call
	}
	start := len(d.tools) - len(ev.Tools)
	d.tools = d.calls.complete(ev.Choice, d.tools)
	ev.Tools = d.tools[start:]
}

func finishOf(reason []byte) chat.Finish {
	switch string(reason) {
	case `"stop"`, `"eos"`, `"stop_sequence"`, `"end_turn"`:
		return chat.FinishStop
	case `"length"`, `"max_tokens"`, `"model_context_window_exceeded"`:
		return chat.FinishLength
	case `"tool_calls"`, `"function_call"`:
		return chat.FinishToolCalls
	case `"content_filter"`, `"sensitive"`:
		return chat.FinishContentFilter
	case `"error"`, `"network_error"`, `"abort"`, `"insufficient_system_resource"`:
		return chat.FinishError
	}
	return chat.FinishStop
}

func notNull(raw []byte) []byte {
	if rawjson.IsNull(raw) {
		return nil
	}
	return raw
}

func unreadable(msg string, err error) error {
	return &fault.Error{Kind: fault.Unavailable, Message: msg, Err: err}
}
