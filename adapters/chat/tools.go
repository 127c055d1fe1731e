package chat

import (
	"bytes"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// CustomSchema are the parameters of a function that stands for a tool of free
// text, where the target knows functions only.
const CustomSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`

// ToolName returns the name of a tool of OpenAI's, a literal; nil for others.
func ToolName(tool []byte) Literal {
	for _, kind := range []string{"function", "custom"} {
		if name := text(Member(Member(tool, kind), "name")); name != nil {
			return name
		}
	}
	return nil
}

// Allowed reads the choice among some of the tools, for targets that do not
// know it: it returns those tools, and the choice among them. Any other choice
// comes back as it is.
func Allowed(tools, choice []byte) (list, mode []byte) {
	if string(Member(choice, "type")) != `"allowed_tools"` {
		return tools, choice
	}
	allowed := Member(choice, "allowed_tools")
	var names [][]byte
	for item := range rawjson.Elements(Member(allowed, "tools")) {
		names = append(names, ToolName(item))
	}
	list = []byte{'['}
	for tool := range rawjson.Elements(tools) {
		for _, name := range names {
			if name != nil && bytes.Equal(name, ToolName(tool)) {
				if len(list) > 1 {
					list = append(list, ',')
				}
				list = append(list, tool...)
				break
			}
		}
	}
	mode = []byte(`"auto"`)
	if string(Member(allowed, "mode")) == `"required"` {
		mode = []byte(`"required"`)
	}
	return append(list, ']'), mode
}

// Forces reports whether a choice makes the model call a tool.
func Forces(choice []byte) bool {
	switch string(choice) {
	case "", `"auto"`, `"none"`:
		return false
	}
	return string(Member(choice, "type")) != `"allowed_tools"` || string(Member(Member(choice, "allowed_tools"), "mode")) == `"required"`
}
