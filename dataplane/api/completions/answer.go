package completions

import (
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
)

// answer gathers the events of an answer that is not streamed. The events'
// spans must stay valid until Append.
type answer struct {
	choices     []chat.Event
	fingerprint chat.Literal
	serviceTier chat.Literal
}

// Reset prepares for another answer.
func (a *answer) Reset() { *a = answer{choices: a.choices[:0]} }

// Event takes in one event.
func (a *answer) Event(ev *chat.Event) {
	if ev.Fingerprint != nil {
		a.fingerprint = ev.Fingerprint
	}
	if ev.ServiceTier != nil {
		a.serviceTier = ev.ServiceTier
	}
	if !ev.HasContent() && ev.Finish == chat.NotFinished && ev.Content == nil {
		return
	}
	for i := range a.choices {
		if a.choices[i].Choice == ev.Choice {
			merge(&a.choices[i], ev)
			return
		}
	}
	a.choices = append(a.choices, *ev)
	last := &a.choices[len(a.choices)-1]
	last.Tools = slices.Clip(last.Tools) // what follows them in memory is the decoder's
}

// merge adds a later event of the same choice.
func merge(to, ev *chat.Event) {
	to.Content = join(to.Content, ev.Content)
	to.Reasoning = join(to.Reasoning, ev.Reasoning)
	to.Refusal = join(to.Refusal, ev.Refusal)
	to.Details = joinArrays(to.Details, ev.Details)
	to.Annotations = joinArrays(to.Annotations, ev.Annotations)
	to.Images = joinArrays(to.Images, ev.Images)
	for _, t := range ev.Tools {
		to.Tools = addTool(to.Tools, t)
	}
	if ev.Audio != nil {
		to.Audio = ev.Audio
	}
	if ev.Extra != nil {
		to.Extra = ev.Extra
	}
	if ev.Logprobs != nil {
		to.Logprobs = ev.Logprobs
	}
	if ev.Finish != chat.NotFinished {
		to.Finish, to.Native = ev.Finish, ev.Native
	}
}

func addTool(tools []chat.ToolDelta, t chat.ToolDelta) []chat.ToolDelta {
	for i := range tools {
		if tools[i].Index == t.Index {
			tools[i].Arguments = join(tools[i].Arguments, t.Arguments)
			if t.Extra != nil {
				tools[i].Extra = t.Extra
			}
			return tools
		}
	}
	return append(tools, t)
}

// join concatenates two literals.
func join(a, b chat.Literal) chat.Literal {
	if len(b) <= 2 {
		if a == nil {
			return b
		}
		return a
	}
	if len(a) <= 2 {
		return b
	}
	out := make(chat.Literal, 0, len(a)+len(b)-2)
	return append(append(out, a[:len(a)-1]...), b[1:]...)
}

// joinArrays concatenates two raw arrays that are not empty.
func joinArrays(a, b []byte) []byte {
	if a == nil || b == nil {
		return append(slices.Clip(a), b...)
	}
	out := make([]byte, 0, len(a)+len(b))
	out = append(append(out, a[:len(a)-1]...), ',')
	return append(out, b[1:]...)
}

// Append appends the chat.completion object.
func (a *answer) Append(dst []byte, h api.Head, t *api.Total, o options) []byte {
	dst = appendHead(append(dst, '{'), &h, o.object(false))
	dst = appendOr(append(dst, `,"system_fingerprint":`...), a.fingerprint, "null")
	if a.serviceTier != nil {
		dst = append(append(dst, `,"service_tier":`...), a.serviceTier...)
	}
	dst = append(dst, `,"choices":[`...)
	for i := range a.choices {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendChoice(dst, &a.choices[i], o)
	}
	return append(appendRouting(appendUsage(append(dst, `],"usage":`...), t), t.Routing), '}')
}

func appendChoice(dst []byte, ev *chat.Event, o options) []byte {
	dst = strconv.AppendInt(append(dst, `{"index":`...), int64(ev.Choice), 10)
	dst = appendOr(append(dst, `,"logprobs":`...), ev.Logprobs, "null")
	finish := ev.Finish
	if finish == chat.NotFinished {
		finish = chat.FinishStop
	}
	dst = append(append(append(dst, `,"finish_reason":"`...), finish.String()...), `","native_finish_reason":`...)
	dst = appendOr(dst, ev.Native, "null")
	if o.legacy {
		return append(appendOr(append(dst, `,"text":`...), ev.Content, `""`), '}')
	}
	dst = append(dst, `,"message":{"role":"assistant","content":`...)
	dst = appendOr(dst, contentOf(ev), "null")
	if len(ev.Refusal) <= 2 {
		dst = append(dst, `,"refusal":null`...)
	}
	if len(ev.Reasoning) <= 2 || o.hideReasoning {
		dst = append(dst, `,"reasoning":null`...)
	}
	dst = appendExtras(dst, ev, o)
	if len(ev.Tools) > 0 {
		dst = appendToolDeltas(dst, o.custom.restore(ev.Tools))
	}
	return append(dst, '}', '}')
}

// contentOf is null beside tool calls and "" where an answer has no text.
func contentOf(ev *chat.Event) chat.Literal {
	switch {
	case len(ev.Content) > 2:
		return ev.Content
	case len(ev.Tools) > 0:
		return nil
	}
	return chat.Literal(`""`)
}
