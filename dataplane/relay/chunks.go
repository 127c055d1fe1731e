package relay

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Chunks writes a stream of chat.completion.chunk events into Buf. The order
// is fixed: deltas, one finish reason for each choice, one usage chunk without
// choices, [DONE].
type Chunks struct {
	Buf []byte

	options Options
	prefix  []byte // of every chunk, up to its choices
	head    Head
	// choices is a bit set of the choices that were begun, finished of those
	// that had their finish reason, tools of those with tool calls.
	choices, finished, tools uint64
	comments                 int // since the last chunk
}

// Reset prepares for another stream and keeps the memory.
func (c *Chunks) Reset(o Options) {
	*c = Chunks{Buf: c.Buf[:0], prefix: c.prefix[:0], options: o}
}

// Begin fixes what every chunk repeats. It must come before the first Event.
func (c *Chunks) Begin(h Head) {
	c.head = h
	c.prefix = h.append(append(c.prefix[:0], "data: {"...), c.options.object(true))
	c.prefix = append(c.prefix, `,"choices":[`...) // a system_fingerprint of null is an error to OpenRouter's SDK
}

// Event appends the chunk for an event, if there is anything to say.
func (c *Chunks) Event(ev *chat.Event) {
	bit := uint64(1) << (ev.Choice & 63)
	if len(ev.Tools) > 0 {
		c.tools |= bit
	}
	finish := ev.Finish
	if c.finished&bit != 0 {
		finish = chat.NotFinished
	}
	if finish == chat.NotFinished && !ev.HasContent() {
		return
	}
	c.Buf = append(c.Buf, c.prefix...)
	c.Buf = strconv.AppendInt(append(c.Buf, `{"index":`...), int64(ev.Choice), 10)
	if c.options.Legacy {
		c.Buf = appendOr(append(c.Buf, `,"text":`...), ev.Content, `""`)
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
		c.Buf = append(append(c.Buf, `,"logprobs":`...), ev.Logprobs...)
	}
	c.Buf = append(c.Buf, "}]}\n\n"...)
}

func (c *Chunks) delta(ev *chat.Event, first bool) {
	c.Buf = append(c.Buf, `,"delta":{`...)
	if first {
		c.Buf = append(c.Buf, `"role":"assistant",`...)
	}
	c.Buf = append(c.Buf, `"content":`...)
	if ev.Content != nil {
		c.Buf = append(c.Buf, ev.Content...)
	} else {
		c.Buf = append(c.Buf, `""`...)
	}
	c.Buf = appendExtras(c.Buf, ev, c.options)
	if len(ev.Tools) > 0 {
		c.Buf = appendToolDeltas(c.Buf, ev.Tools)
	}
	c.Buf = append(c.Buf, '}')
}

// appendExtras appends what a message or delta has beside content and tools.
func appendExtras(dst []byte, ev *chat.Event, o Options) []byte {
	if len(ev.Reasoning) > 2 && !o.HideReasoning {
		dst = append(append(dst, `,"reasoning":`...), ev.Reasoning...)
		if o.Alias {
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
	return dst
}

// shown returns the reasoning_details that a client gets. One that wants no
// reasoning still gets what is encrypted: it cannot be read, but the next turn
// needs it.
func shown(details []byte, o Options) []byte {
	if details == nil || !o.HideReasoning {
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
	dst = append(dst, `,"type":"function","function":{`...)
	if t.Name != nil {
		dst = append(append(append(dst, `"name":`...), t.Name...), ',')
	}
	dst = append(dst, `"arguments":`...)
	if t.Arguments != nil {
		dst = append(dst, t.Arguments...)
	} else {
		dst = append(dst, `""`...)
	}
	return append(dst, '}', '}')
}

func (c *Chunks) finish(f chat.Finish, native chat.Literal) {
	if f == chat.NotFinished {
		c.Buf = append(c.Buf, `,"finish_reason":null,"native_finish_reason":null`...)
		return
	}
	c.Buf = append(append(append(c.Buf, `,"finish_reason":"`...), f.String()...), `","native_finish_reason":`...)
	c.Buf = appendOr(c.Buf, native, "null")
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

// Comment appends a comment that keeps the connection alive, and now and then
// a chunk that says nothing.
func (c *Chunks) Comment() {
	if c.comments++; c.comments > maxComments && len(c.prefix) > 0 {
		c.comments = 0
		c.Buf = append(c.Buf, c.prefix...)
		if c.options.Legacy {
			c.Buf = append(c.Buf, `{"index":0,"text":""`...)
		} else {
			c.Buf = append(c.Buf, `{"index":0,"delta":{"role":"assistant","content":""}`...)
		}
		c.finish(chat.NotFinished, nil)
		c.Buf = append(c.Buf, "}]}\n\n"...)
		return
	}
	c.Buf = append(c.Buf, ": OPENROUTER PROCESSING\n\n"...)
}

// End completes the stream: finish reasons that the upstream forgot, the
// usage, [DONE].
func (c *Chunks) End(t *Total) {
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
	c.Buf = append(append(c.Buf, c.prefix...), `],"usage":`...)
	c.Buf = appendRouting(t.append(c.Buf), t.Routing)
	c.Buf = append(c.Buf, "}\n\ndata: [DONE]\n\n"...)
}

// Fail ends the stream with an error. "error" comes first in the object: one
// client finds it by its position only.
func (c *Chunks) Fail(p *problem.Problem) {
	c.Buf = p.AppendMember(append(c.Buf, "data: {"...))
	c.Buf = append(c.Buf, ',')
	c.Buf = c.head.append(c.Buf, c.options.object(true))
	c.Buf = append(c.Buf, `,"choices":[`...)
	if c.finished == 0 {
		content := `"delta":{"role":"assistant","content":""}`
		if c.options.Legacy {
			content = `"text":""`
		}
		c.Buf = append(append(append(c.Buf, `{"index":0,`...), content...), `,"finish_reason":"error","native_finish_reason":null}`...)
	}
	c.Buf = appendRouting(append(c.Buf, ']'), p.Routing)
	c.Buf = append(c.Buf, "}\n\ndata: [DONE]\n\n"...)
}
