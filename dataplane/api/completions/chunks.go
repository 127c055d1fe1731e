package completions

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// stream writes chat.completion.chunk events into buf. The order
// is fixed: deltas, one finish reason for each choice, one usage chunk without
// choices, [DONE].
type stream struct {
	buf []byte

	options options
	prefix  []byte // of every chunk, up to its choices
	head    api.Head
	// choices is a bit set of the choices that were begun, finished of those
	// that had their finish reason, tools of those with tool calls.
	choices, finished, tools uint64
	comments                 int // since the last chunk
	custom                   custom
}

// Reset prepares for another stream and keeps the memory.
func (c *stream) Reset(o options) {
	*c = stream{buf: c.buf[:0], prefix: c.prefix[:0], options: o, custom: custom{names: o.custom}}
}

// Begin fixes what every chunk repeats. It must come before the first Event.
func (c *stream) Begin(h api.Head) {
	c.head = h
	c.prefix = appendHead(append(c.prefix[:0], "data: {"...), &h, c.options.object(true))
	c.prefix = append(c.prefix, `,"choices":[`...) // a system_fingerprint of null is an error to OpenRouter's SDK
}

// Event appends the chunk for an event, if there is anything to say.
func (c *stream) Event(ev *chat.Event) {
	bit := uint64(1) << (ev.Choice & 63)
	if len(ev.Tools) > 0 {
		c.tools |= bit
	}
	finish := ev.Finish
	if c.finished&bit != 0 {
		finish = chat.NotFinished
	}
	if c.custom.names != nil {
		ev = c.custom.hold(ev, finish)
	}
	if finish == chat.NotFinished && !ev.HasContent() {
		return
	}
	c.buf = append(c.buf, c.prefix...)
	c.buf = strconv.AppendInt(append(c.buf, `{"index":`...), int64(ev.Choice), 10)
	if c.options.legacy {
		c.buf = appendOr(append(c.buf, `,"text":`...), ev.Content, `""`)
	} else {
		c.delta(ev, c.choices&bit == 0)
	}
	c.choices |= bit
	c.comments = 0
	c.finish(finish, ev.Native)
	if finish != chat.NotFinished {
		c.finished |= bit
	}
	if ev.Logprobs != nil {
		c.buf = append(append(c.buf, `,"logprobs":`...), ev.Logprobs...)
	}
	c.buf = append(c.buf, "}]}\n\n"...)
}

func (c *stream) delta(ev *chat.Event, first bool) {
	c.buf = append(c.buf, `,"delta":{`...)
	if first {
		c.buf = append(c.buf, `"role":"assistant",`...)
	}
	c.buf = append(c.buf, `"content":`...)
	if ev.Content != nil {
		c.buf = append(c.buf, ev.Content...)
	} else {
		c.buf = append(c.buf, `""`...)
	}
	c.buf = appendExtras(c.buf, ev, c.options)
	if len(ev.Tools) > 0 {
		c.buf = appendToolDeltas(c.buf, ev.Tools)
	}
	c.buf = append(c.buf, '}')
}

// appendExtras appends what a message or delta has beside content and tools.
func appendExtras(dst []byte, ev *chat.Event, o options) []byte {
	if len(ev.Reasoning) > 2 && !o.hideReasoning {
		dst = append(append(dst, `,"reasoning":`...), ev.Reasoning...)
		if o.alias {
			dst = append(append(dst, `,"reasoning_content":`...), ev.Reasoning...)
		}
	}
	if details := shown(ev.Details, o); details != nil {
		dst = append(append(dst, `,"reasoning_details":`...), details...)
	}
	if len(ev.Refusal) > 2 {
		dst = append(append(dst, `,"refusal":`...), ev.Refusal...)
	}
	if ev.Annotations != nil {
		dst = append(append(dst, `,"annotations":`...), ev.Annotations...)
	}
	if ev.Images != nil {
		dst = append(append(dst, `,"images":`...), ev.Images...)
	}
	if ev.Audio != nil {
		dst = append(append(dst, `,"audio":`...), ev.Audio...)
	}
	if ev.Extra != nil {
		dst = append(append(dst, `,"extra_content":`...), ev.Extra...)
	}
	return dst
}

// shown returns the reasoning_details that a client gets. One that wants no
// reasoning still gets what is encrypted: it cannot be read, but the next turn
// needs it.
func shown(details []byte, o options) []byte {
	if details == nil || !o.hideReasoning {
		return details
	}
	var out []byte
	var c rawjson.Cursor
	c.Reset(details)
	for c.Array(); c.Elem(); {
		item := c.Raw()
		if string(chat.Member(item, "type")) != `"reasoning.encrypted"` {
			continue
		}
		out = append(append(out, ','), item...)
	}
	if out == nil {
		return nil
	}
	out[0] = '['
	return append(out, ']')
}

func appendToolDeltas(dst []byte, tools []chat.ToolDelta) []byte {
	dst = append(dst, `,"tool_calls":[`...)
	for i := range tools {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendTool(dst, &tools[i])
	}
	return append(dst, ']')
}

func appendTool(dst []byte, t *chat.ToolDelta) []byte {
	dst = strconv.AppendInt(append(dst, `{"index":`...), int64(t.Index), 10)
	if t.ID != nil {
		dst = append(append(dst, `,"id":`...), t.ID...)
	}
	kind, arguments := `,"type":"function","function":{`, `"arguments":`
	if t.Custom {
		kind, arguments = `,"type":"custom","custom":{`, `"input":`
	}
	dst = append(dst, kind...)
	if t.Name != nil {
		dst = append(append(append(dst, `"name":`...), t.Name...), ',')
	}
	dst = append(dst, arguments...)
	if t.Arguments != nil {
		dst = append(dst, t.Arguments...)
	} else {
		dst = append(dst, `""`...)
	}
	dst = append(dst, '}')
	if t.Extra != nil {
		dst = append(append(dst, `,"extra_content":`...), t.Extra...)
	}
	return append(dst, '}')
}

func (c *stream) finish(f chat.Finish, native chat.Literal) {
	if f == chat.NotFinished {
		c.buf = append(c.buf, `,"finish_reason":null,"native_finish_reason":null`...)
		return
	}
	c.buf = append(append(append(c.buf, `,"finish_reason":"`...), f.String()...), `","native_finish_reason":`...)
	c.buf = appendOr(c.buf, native, "null")
}

func appendOr(dst []byte, raw []byte, otherwise string) []byte {
	if raw == nil {
		return append(dst, otherwise...)
	}
	return append(dst, raw...)
}

// maxComments bounds how many comments come one after the other: go-openai
// gives up after 300 lines without data, and each is two.
const maxComments = 100

// KeepAlive appends a comment that keeps the connection alive, and now and then
// a chunk that says nothing.
func (c *stream) KeepAlive() {
	if c.comments++; c.comments > maxComments && len(c.prefix) > 0 {
		c.comments = 0
		c.buf = append(c.buf, c.prefix...)
		if c.options.legacy {
			c.buf = append(c.buf, `{"index":0,"text":""`...)
		} else {
			c.buf = append(c.buf, `{"index":0,"delta":{"role":"assistant","content":""}`...)
		}
		c.finish(chat.NotFinished, nil)
		c.buf = append(c.buf, "}]}\n\n"...)
		return
	}
	c.buf = append(c.buf, ": OPENROUTER PROCESSING\n\n"...)
}

// End completes the stream: finish reasons that the upstream forgot, the
// usage, [DONE].
func (c *stream) End(t *api.Total) {
	if c.choices == 0 {
		c.Event(&chat.Event{Finish: chat.FinishStop})
	}
	for i := range 64 {
		if bit := uint64(1) << i; c.choices&bit != 0 && c.finished&bit == 0 {
			f := chat.FinishStop
			if c.tools&bit != 0 {
				f = chat.FinishToolCalls
			}
			c.Event(&chat.Event{Choice: i, Finish: f})
		}
	}
	c.buf = append(append(c.buf, c.prefix...), `],"usage":`...)
	c.buf = appendRouting(appendUsage(c.buf, t), t.Routing)
	c.buf = append(c.buf, "}\n\ndata: [DONE]\n\n"...)
}

// Fail ends the stream with an error. "error" comes first in the object: one
// client finds it by its position only.
func (c *stream) Fail(p *problem.Problem) {
	c.buf = p.AppendMember(append(c.buf, "data: {"...))
	c.buf = append(c.buf, ',')
	c.buf = appendHead(c.buf, &c.head, c.options.object(true))
	c.buf = append(c.buf, `,"choices":[`...)
	if c.finished == 0 {
		content := `"delta":{"role":"assistant","content":""}`
		if c.options.legacy {
			content = `"text":""`
		}
		c.buf = append(append(append(c.buf, `{"index":0,`...), content...), `,"finish_reason":"error","native_finish_reason":null}`...)
	}
	c.buf = appendRouting(append(c.buf, ']'), p.Routing)
	c.buf = append(c.buf, "}\n\ndata: [DONE]\n\n"...)
}

// Buffer implements api.Stream.
func (c *stream) Buffer() *[]byte { return &c.buf }
