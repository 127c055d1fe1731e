package responses

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// tool takes in a fragment of a call. Calls that a provider sends side by side
// are open side by side.
func (o *output) tool(t *chat.ToolDelta) {
	o.enter(callItems)
	for i := range o.calls {
		if o.calls[i].index == t.Index {
			o.arguments(&o.calls[i], rawjson.Inner(t.Arguments))
			return
		}
	}
	c := call{index: t.Index, item: o.next, callID: bytes.Clone(t.ID)}
	o.next++
	name := rawjson.Text(t.Name)
	if known := o.tools.find(name); known != nil {
		c.tool = *known
	} else {
		c.tool = tool{name: name, own: name}
	}
	prefix := "fc_"
	if c.tool.custom {
		prefix = "ctc_"
	}
	c.id = o.appendID(nil, prefix, c.item)
	o.calls = append(o.calls, c)
	o.events.added(c.item, o.callItem(nil, &c, nil, "in_progress"))
	o.arguments(&o.calls[len(o.calls)-1], rawjson.Inner(t.Arguments))
}

// arguments adds to a call. The input of a custom tool is known when its
// arguments are complete.
func (o *output) arguments(c *call, text []byte) {
	if len(text) == 0 {
		return
	}
	c.args = append(c.args, text...)
	if !c.tool.custom {
		o.events.delta("response.function_call_arguments.delta", c.id, c.item, "", 0, text)
	}
}

func (o *output) closeCalls(status string) {
	for i := range o.calls {
		c := &o.calls[i]
		value := c.args
		if c.tool.custom {
			value = chat.CustomInput(c.args)
			o.events.delta("response.custom_tool_call_input.delta", c.id, c.item, "", 0, value)
			o.events.done("response.custom_tool_call_input.done", c.id, c.item, "", 0, `"input":"`, value, nil)
		} else {
			o.events.callDone(c.id, c.item, c.tool.own, value)
		}
		item := o.callItem(nil, c, value, status)
		o.events.itemDone(c.item, item)
		o.finish(item)
	}
	o.calls = o.calls[:0]
}

// callItem appends a call's item. value is the inside of a literal.
func (o *output) callItem(dst []byte, c *call, value []byte, status string) []byte {
	kind, member := `{"type":"function_call","id":`, `,"arguments":"`
	if c.tool.custom {
		kind, member = `{"type":"custom_tool_call","id":`, `,"input":"`
	}
	dst = append(append(dst, kind...), c.id...)
	dst = append(append(append(dst, `,"status":"`...), status...), `","call_id":`...)
	if len(c.callID) > 2 {
		dst = append(dst, c.callID...)
	} else {
		dst = o.appendID(dst, "call_", c.item)
	}
	dst = rawjson.AppendString(append(dst, `,"name":`...), c.tool.own)
	if c.tool.namespace != "" {
		dst = rawjson.AppendString(append(dst, `,"namespace":`...), c.tool.namespace)
	}
	return append(append(append(dst, member...), value...), `"}`...)
}
