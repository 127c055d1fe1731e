package messages

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// tools writes the client's own tools as functions. Tools that Anthropic runs
// itself go on as they are.
func (w *writer) tools(m request) error {
	raw := m["tools"]
	if raw == nil {
		return nil
	}
	if raw[0] != '[' {
		return invalid("tools: must be an array")
	}
	w.Member("tools")
	w.Put(`[`)
	i := 0
	for tool := range rawjson.Elements(raw) {
		w.Comma(i > 0)
		if err := w.tool(i, tool); err != nil {
			return err
		}
		i++
	}
	w.Put(`]`)
	return nil
}

func (w *writer) tool(i int, tool []byte) error {
	if tool[0] != '{' {
		return invalid("tools[%d]: must be an object with name and input_schema", i)
	}
	if kind := kindOf(tool); kind != "" && kind != "custom" {
		w.Raw(tool)
		return nil
	}
	name, schema := chat.Member(tool, "name"), chat.Member(tool, "input_schema")
	if !canonical.IsText(name) {
		return invalid("tools[%d].name: required, a string", i)
	}
	if !rawjson.IsNull(schema) && schema[0] != '{' {
		return invalid("tools[%d].input_schema: must be a JSON schema object", i)
	}
	w.Put(`{"type":"function","function":{"name":`)
	w.Raw(name)
	w.Sibling("description", chat.Member(tool, "description"))
	w.Sibling("parameters", schema)
	w.Put(`}`)
	for _, own := range []string{"cache_control", "strict"} {
		w.Sibling(own, chat.Member(tool, own))
	}
	w.Put(`}`)
	return nil
}

// anthropicOnly lists the members of a tool that no other server takes.
func anthropicOnly() []string {
	return []string{"defer_loading", "allowed_callers", "input_examples", "eager_input_streaming"}
}

func (w *writer) toolChoice(m request) error {
	raw := m["tool_choice"]
	if raw == nil {
		return nil
	}
	switch kindOf(raw) {
	case "auto":
		w.Copy("tool_choice", []byte(`"auto"`))
	case "any":
		w.Copy("tool_choice", []byte(`"required"`))
	case "none":
		w.Copy("tool_choice", []byte(`"none"`))
	case "tool":
		name := chat.Member(raw, "name")
		if !canonical.IsText(name) {
			return invalid("tool_choice.name: required, a string")
		}
		w.Member("tool_choice")
		w.Put(`{"type":"function","function":{"name":`)
		w.Raw(name)
		w.Put(`}}`)
	default:
		return invalid(`tool_choice: must be {"type":"auto"}, {"type":"any"}, {"type":"none"} or {"type":"tool","name":...}`)
	}
	switch string(chat.Member(raw, "disable_parallel_tool_use")) {
	case "true":
		w.Copy("parallel_tool_calls", []byte("false"))
	case "false":
		w.Copy("parallel_tool_calls", []byte("true"))
	}
	return nil
}
