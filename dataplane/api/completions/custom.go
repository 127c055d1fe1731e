package completions

import (
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// customTools are the names of a request's tools of free text, as literals. Most
// endpoints get them as functions of one argument, and their calls come back as
// such: the client is to get what it has asked for.
type customTools []string

func customToolsOf(r *chat.Request) (names customTools) {
	if r.Has&chat.HasForeignTool == 0 {
		return nil
	}
	for tool := range rawjson.Elements(r.Raw(chat.Tools)) {
		if string(chat.Member(tool, "type")) == `"custom"` {
			if name := chat.ToolName(tool); name != nil {
				names = append(names, string(name))
			}
		}
	}
	return names
}

// has reports whether a call that begins is one of such a tool's, and came as a
// function's.
func (c customTools) has(t *chat.ToolDelta) bool {
	return !t.Custom && t.Name != nil && slices.Contains(c, string(t.Name))
}

// restore returns complete calls as the client knows their tools.
func (c customTools) restore(calls []chat.ToolDelta) []chat.ToolDelta {
	if !slices.ContainsFunc(calls, func(t chat.ToolDelta) bool { return c.has(&t) }) {
		return calls
	}
	out := slices.Clone(calls)
	for i := range out {
		if t := &out[i]; c.has(t) {
			t.Custom, t.Arguments = true, inputOf(rawjson.Inner(t.Arguments))
		}
	}
	return out
}

func inputOf(arguments []byte) chat.Literal {
	return slices.Concat([]byte{'"'}, chat.CustomInput(arguments), []byte{'"'})
}

// custom restores the calls of a stream. What the input is shows when the
// arguments are complete: they are held until then.
type custom struct {
	names customTools
	held  []heldCall
	event chat.Event
	tools []chat.ToolDelta
}

type heldCall struct {
	choice, index int
	arguments     []byte
}

// hold returns the event without the arguments of such calls, and with the input
// of all of its choice if that is finished. The event is valid until the next
// call.
func (c *custom) hold(ev *chat.Event, finish chat.Finish) *chat.Event {
	c.event, c.tools = *ev, c.tools[:0]
	for _, t := range ev.Tools {
		if c.names.has(&t) {
			c.held = append(c.held, heldCall{choice: ev.Choice, index: t.Index})
		}
		i := slices.IndexFunc(c.held, func(h heldCall) bool { return h.choice == ev.Choice && h.index == t.Index })
		if i < 0 {
			c.tools = append(c.tools, t)
			continue
		}
		c.held[i].arguments = append(c.held[i].arguments, rawjson.Inner(t.Arguments)...)
		if t.Custom, t.Arguments = true, nil; t.Name != nil || t.ID != nil || t.Extra != nil {
			c.tools = append(c.tools, t)
		}
	}
	if finish != chat.NotFinished {
		for _, h := range c.held {
			if h.choice == ev.Choice {
				c.tools = append(c.tools, chat.ToolDelta{Index: h.index, Custom: true, Arguments: inputOf(h.arguments)})
			}
		}
	}
	c.event.Tools = c.tools
	return &c.event
}
