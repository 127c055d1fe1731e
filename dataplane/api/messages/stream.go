package messages

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// stream writes an answer's events as a Messages stream into buf: message_start,
// the content blocks, message_delta with the stop reason and the usage,
// message_stop. The order of calls is Reset, Begin, Event..., and End or Fail.
type stream struct {
	buf []byte

	head   api.Head
	begun  bool
	native native
	blocks blocks
	// index is that of the open block, or of the next.
	index  int
	finish chat.Finish
	reason []byte // as the provider named it
	// prompt is what is known of the usage when the message starts.
	prompt chat.Usage
}

// Reset prepares for another stream and keeps the memory.
func (s *stream) Reset() {
	*s = stream{buf: s.buf[:0], reason: s.reason[:0], native: s.native}
	s.blocks.to = streamSink{s}
}

// Begin fixes the message's id and model. Nothing is written before the first
// event with content.
func (s *stream) Begin(h api.Head) {
	s.head = h
	if s.native.on {
		s.buf = s.native.begin(s.buf, &s.head)
	}
}

// Event appends what an event has to say.
func (s *stream) Event(ev *chat.Event) {
	if s.native.on {
		s.buf = s.native.event(s.buf, ev, &s.head)
		return
	}
	if ev.Usage != nil && !s.begun {
		s.prompt = *ev.Usage
	}
	if ev.Finish != chat.NotFinished && ev.Choice == 0 {
		s.finish, s.reason = ev.Finish, append(s.reason[:0], ev.Native...)
	}
	if ev.HasContent() {
		s.start()
		s.blocks.add(ev)
	}
}

// start writes message_start, once.
func (s *stream) start() {
	if s.begun {
		return
	}
	s.begun = true
	s.put("event: message_start\ndata: {\"type\":\"message_start\",\"message\":")
	s.prompt.Completion, s.prompt.Reasoning = 0, 0
	s.buf = appendHead(s.buf, s.head.ID, s.head.Model)
	s.put(`,"content":[],"stop_reason":null,"stop_sequence":null,"usage":`)
	s.buf = appendUsage(s.buf, &s.prompt)
	s.put("}}\n\n")
}

// KeepAlive appends an event that keeps the connection open.
func (s *stream) KeepAlive() { s.put("event: ping\ndata: {\"type\":\"ping\"}\n\n") }

// End completes the stream with the final usage.
func (s *stream) End(t *api.Total) {
	if s.native.on {
		s.buf = s.native.end(s.buf)
		return
	}
	s.start()
	s.blocks.end()
	s.put("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"")
	s.put(stopReason(s.finish, s.reason, len(s.blocks.calls) > 0))
	s.put(`","stop_sequence":null},"usage":`)
	s.buf = appendUsage(s.buf, &t.Usage)
	s.put("}\n\n" + messageStop)
}

// Fail ends the stream with an error.
func (s *stream) Fail(p *problem.Problem) {
	s.put("event: error\ndata: ")
	s.buf = appendError(s.buf, p)
	s.put("\n\n")
}

// Buffer is what has been written and not yet sent.
func (s *stream) Buffer() *[]byte { return &s.buf }

func (s *stream) put(text string) { s.buf = append(s.buf, text...) }

// streamSink writes content blocks as events.
type streamSink struct{ s *stream }

func (k streamSink) head(kind string) {
	k.s.put("event: content_block_")
	k.s.put(kind)
	k.s.put("\ndata: {\"type\":\"content_block_")
	k.s.put(kind)
	k.s.put("\",\"index\":")
	k.s.buf = strconv.AppendInt(k.s.buf, int64(k.s.index), 10)
}

func (k streamSink) open(kind blockKind, id, name []byte) {
	k.head("start")
	k.s.put(`,"content_block":`)
	switch kind {
	case textBlock, noBlock:
		k.s.put(`{"type":"text","text":""}`)
	case thinkingBlock:
		k.s.put(`{"type":"thinking","thinking":"","signature":""}`)
	case redactedBlock:
		k.s.put(`{"type":"redacted_thinking","data":`)
		k.s.buf = append(k.s.buf, id...)
		k.s.put(`}`)
	case toolBlock:
		k.s.put(`{"type":"tool_use","id":`)
		k.s.buf = append(appendOr(k.s.buf, id), `,"name":`...)
		k.s.buf = append(appendOr(k.s.buf, name), `,"input":{}}`...)
	}
	k.s.put("}\n\n")
}

func (k streamSink) add(kind deltaKind, text []byte) {
	k.head("delta")
	switch kind {
	case textDelta:
		k.s.put(`,"delta":{"type":"text_delta","text":"`)
	case thinkingDelta:
		k.s.put(`,"delta":{"type":"thinking_delta","thinking":"`)
	case signatureDelta:
		k.s.put(`,"delta":{"type":"signature_delta","signature":"`)
	case argumentsDelta:
		k.s.put(`,"delta":{"type":"input_json_delta","partial_json":"`)
	}
	k.s.buf = append(k.s.buf, text...)
	k.s.put("\"}}\n\n")
}

func (k streamSink) close() {
	k.head("stop")
	k.s.put("}\n\n")
	k.s.index++
}

// appendOr appends a literal, an empty one for none.
func appendOr(dst, literal []byte) []byte {
	if len(literal) == 0 {
		return append(dst, '"', '"')
	}
	return append(dst, literal...)
}

// appendHead appends the beginning of a message object.
func appendHead(dst []byte, id, model string) []byte {
	dst = rawjson.AppendString(append(dst, `{"id":`...), id)
	return rawjson.AppendString(append(dst, `,"type":"message","role":"assistant","model":`...), model)
}

// appendUsage appends a usage object, whose input excludes the cached tokens.
func appendUsage(dst []byte, u *chat.Usage) []byte {
	num := func(key string, n int64) { dst = strconv.AppendInt(append(dst, key...), n, 10) }
	num(`{"input_tokens":`, max(u.Prompt-u.CacheRead-u.CacheWrite, 0))
	num(`,"cache_creation_input_tokens":`, u.CacheWrite)
	num(`,"cache_read_input_tokens":`, u.CacheRead)
	num(`,"output_tokens":`, u.Completion)
	if u.Reasoning > 0 {
		num(`,"output_tokens_details":{"thinking_tokens":`, u.Reasoning)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// stopReason returns Anthropic's word for the end of an answer, the provider's
// own where that is one of Anthropic's and means the same.
func stopReason(finish chat.Finish, native []byte, calls bool) string {
	word := string(rawjson.Inner(native))
	switch finish {
	case chat.FinishLength:
		if word == "model_context_window_exceeded" {
			return word
		}
		return "max_tokens"
	case chat.FinishToolCalls:
		return "tool_use"
	case chat.FinishContentFilter:
		return "refusal"
	case chat.FinishStop, chat.FinishError:
		if word == "stop_sequence" || word == "pause_turn" {
			return word
		}
	case chat.NotFinished:
		if calls {
			return "tool_use"
		}
	}
	return "end_turn"
}
