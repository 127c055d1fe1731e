package chat

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// CustomSchema are the parameters of a function that replaces a tool of free
// text, where the target knows functions only.
const CustomSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`

// CustomDescription returns the description of the function that replaces a
// tool of free text, a literal; nil for none. What the text has to look like is
// part of it, where the model reads it.
func CustomDescription(custom []byte) Literal {
	description := text(Member(custom, "description"))
	format := Member(custom, "format")
	if grammar := Member(format, "grammar"); !rawjson.IsNull(grammar) { // chat's form
		format = grammar
	}
	grammar := rawjson.Text(Member(format, "definition"))
	if grammar == "" {
		return description
	}
	about := rawjson.Text(description) + "\n\nThe value of \"input\" must match this " + rawjson.Text(Member(format, "syntax")) + " grammar:\n" + grammar
	return rawjson.AppendString(nil, strings.TrimSpace(about))
}

// CustomCall returns the object with name and input of a call of a tool of free
// text, nil for any other call.
func CustomCall(call []byte) []byte {
	if custom := Member(call, "custom"); len(custom) > 0 && custom[0] == rawjson.Object && rawjson.IsNull(Member(call, "function")) {
		return custom
	}
	return nil
}

// CustomArguments returns the arguments by CustomSchema that say the same as the
// input of a tool of free text. Both are literals.
func CustomArguments(input []byte) Literal {
	if len(input) == 0 || input[0] != '"' {
		input = []byte(`""`)
	}
	return rawjson.AppendString(nil, slices.Concat([]byte(`{"input":`), input, []byte{'}'}))
}

// CustomInput returns the free text in arguments by CustomSchema, both as insides
// of literals. Arguments that are something else come back as they are: the tool
// is the one to complain.
func CustomInput(arguments []byte) []byte {
	object := bytes.TrimSpace(rawjson.AppendUnescaped(nil, arguments))
	if rawjson.Valid(object) != nil {
		return arguments
	}
	if input := text(Member(object, "input")); input != nil {
		return rawjson.Inner(input)
	}
	return arguments
}

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
