package openai

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

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
		if !d.choice(c, &out[len(out)-1]) {
			out = out[:len(out)-1]
		}
	}
	return out
}

// choice reads one choice; false if it is beyond those that anyone can ask for.
func (d *decoder) choice(c *rawjson.Cursor, ev *chat.Event) bool {
	var reason []byte
	firstTool := len(d.tools)
	unary := false
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "index":
			if n, ok := c.Int(); ok && n >= 0 {
				ev.Choice = int(min(n, chat.MaxChoices))
			}
		case "delta":
			d.delta(c, ev)
		case "message":
			unary = c.Kind() == rawjson.Object || unary
			d.delta(c, ev)
		case "finish_reason":
			reason = filled(c.Str())
		case "native_finish_reason":
			ev.Native = filled(c.Str())
		case "logprobs":
			ev.Logprobs = object(c.Raw())
		case "usage": // Moonshot's streams
			d.readUsage(c)
		case "error":
			if raw := c.Raw(); isFailure(key, raw, true) {
				ev.Fault = d.faultOf(0, raw)
			}
		default:
			c.Skip()
		}
	}
	if ev.Choice >= chat.MaxChoices {
		return false
	}
	ev.Tools = d.tools[firstTool:len(d.tools):len(d.tools)]
	d.settle(ev, reason, unary)
	return true
}

// settle puts a choice's event in order once all of it was read.
func (d *decoder) settle(ev *chat.Event, reason []byte, unary bool) {
	d.begun |= bit(ev.Choice)
	if d.finished&bit(ev.Choice) != 0 { // some repeat the reason, or say more after it
		*ev = chat.Event{Choice: ev.Choice, Details: ev.Details, Annotations: ev.Annotations, Logprobs: ev.Logprobs, Extra: ev.Extra, Fault: ev.Fault}
		return
	}
	for i := range ev.Tools {
		d.calls.place(ev.Choice, &ev.Tools[i], unary)
	}
	if d.dialect != 0 {
		d.structure(ev)
	}
	if reason == nil {
		ev.Native = nil
		return
	}
	finish := finishOf(reason)
	if finish == chat.FinishError || finishOf(ev.Native) == chat.FinishError {
		finish = chat.FinishError
		if ev.Fault == nil {
			ev.Fault = brokenOff(reason, ev.Native)
		}
	}
	if ev.Native == nil {
		ev.Native = reason
	}
	d.close(ev, finish)
}

// close ends a choice.
func (d *decoder) close(ev *chat.Event, finish chat.Finish) {
	d.finished |= bit(ev.Choice)
	if d.dialect != 0 {
		d.flush(ev)
	}
	if d.calls.any(ev.Choice) && finish == chat.FinishStop {
		finish = chat.FinishToolCalls // older servers say stop after a forced call
	}
	ev.Finish = finish
	ev.Tools = d.calls.complete(ev.Choice, ev.Tools)
}

// brokenOff is the fault behind a finish reason that reports an error.
func brokenOff(reason, native []byte) *fault.Error {
	word, kind := reason, fault.Unavailable
	if finishOf(native) == chat.FinishError {
		word = native
	}
	if string(word) == `"insufficient_system_resource"` {
		kind = fault.Overloaded
	}
	return fault.New(kind, "The upstream broke off the answer (%s)", rawjson.Inner(word))
}

func finishOf(reason []byte) chat.Finish {
	switch string(reason) {
	case "":
		return chat.NotFinished
	case `"length"`, `"max_tokens"`, `"model_context_window_exceeded"`:
		return chat.FinishLength
	case `"tool_calls"`, `"function_call"`, `"tool_use"`:
		return chat.FinishToolCalls
	case `"content_filter"`, `"sensitive"`:
		return chat.FinishContentFilter
	case `"error"`, `"network_error"`, `"abort"`, `"insufficient_system_resource"`:
		return chat.FinishError
	}
	return chat.FinishStop
}
