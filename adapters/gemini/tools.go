package gemini

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// encodeTools writes tools and toolConfig.
func (a *Adapter) encodeTools(r *chat.Request, call *codec.Call) {
	sent := r.Sent & chat.SetOf(chat.Tools, chat.ToolChoice)
	if !a.settings.Tools || !sent.Has(chat.Tools) {
		call.Dropped |= sent // a choice among no tools is none
		return
	}
	if !a.top.names["tools"] {
		start := len(call.Body)
		call.Body = append(call.Body, `,"tools":[{"functionDeclarations":[`...)
		n := 0
		var all bool
		if call.Body, n, all = appendDeclarations(call.Body, r.Raw(chat.Tools)); !all {
			call.Dropped |= chat.SetOf(chat.Tools)
		}
		if n == 0 {
			call.Body = call.Body[:start]
			if !all { // an empty list says nothing
				call.Dropped |= sent
			}
			return
		}
		call.Body = append(call.Body, `]}]`...)
	}
	if choice := r.Raw(chat.ToolChoice); choice != nil && !a.top.names["toolConfig"] {
		if name := chosen(choice); name != nil && !declares(r.Raw(chat.Tools), name) {
			call.Dropped |= chat.SetOf(chat.ToolChoice) // of a tool that does not go out
			return
		}
		call.Body = appendChoice(call.Body, choice, r.Raw(chat.Tools))
	}
}

// chosen returns the name of the one tool that a choice is for, nil for other choices.
func chosen(choice []byte) []byte {
	if len(choice) == 0 || choice[0] != rawjson.Object || string(chat.Member(choice, "type")) == `"allowed_tools"` {
		return nil
	}
	if name := chat.ToolName(choice); name != nil {
		return name
	}
	return []byte(`""`)
}

// declares reports whether a function or a tool of free text has that name.
func declares(tools, name []byte) bool {
	for tool := range rawjson.Elements(tools) {
		if bytes.Equal(chat.ToolName(tool), name) {
			return true
		}
	}
	return false
}

// appendDeclarations appends the functions among the tools and returns their
// number, and whether that is all of them: other kinds of tools are run by a
// provider, and not by this one.
func appendDeclarations(dst, tools []byte) ([]byte, int, bool) {
	var c rawjson.Cursor
	c.Reset(tools)
	n, all := 0, true
	for c.Array(); c.Elem(); {
		tool := c.Raw()
		function, custom := chat.Member(tool, "function"), chat.Member(tool, "custom")
		switch kind := string(chat.Member(tool, "type")); {
		case kind == `"custom"` && len(custom) > 0: // free text: a function of one argument
			function = append([]byte(`{"name":`), chat.Member(custom, "name")...)
			if text := chat.CustomDescription(custom); len(text) > 2 {
				function = appendMember(function, "description", text)
			}
			function = append(appendMember(function, "parameters", []byte(chat.CustomSchema)), '}')
		case kind != `"function"`:
			all = false
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = appendDeclaration(dst, function)
	}
	return dst, n, all
}

func appendDeclaration(dst, function []byte) []byte {
	dst = appendName(append(dst, `{"name":`...), chat.Member(function, "name"))
	if d := chat.Member(function, "description"); len(d) > 2 && d[0] == '"' {
		dst = appendMember(dst, "description", d)
	}
	return append(appendParameters(dst, chat.Member(function, "parameters")), '}')
}

// appendChoice appends what the client wants of its tools.
func appendChoice(dst, choice, tools []byte) []byte {
	var names []byte
	mode := "AUTO"
	switch {
	case string(choice) == `"none"`:
		mode = "NONE"
	case string(choice) == `"required"`, string(choice) == `"any"`:
		mode = "ANY"
	case string(chat.Member(choice, "type")) == `"function"`, string(chat.Member(choice, "type")) == `"custom"`:
		mode = "ANY"
		names = appendName([]byte{'['}, chat.ToolName(choice))
	case string(chat.Member(choice, "type")) == `"allowed_tools"`:
		mode, names = allowedTools(chat.Member(choice, "allowed_tools"), tools)
	}
	dst = append(append(append(dst, `,"toolConfig":{"functionCallingConfig":{"mode":"`...), mode...), '"')
	if len(names) > 0 {
		dst = append(appendMember(dst, "allowedFunctionNames", names), ']')
	}
	return append(dst, '}', '}')
}

// allowedTools reads OpenAI's choice among some of the tools. Google takes
// names with ANY and VALIDATED only.
func allowedTools(raw, tools []byte) (mode string, names []byte) {
	mode = "VALIDATED"
	if string(chat.Member(raw, "mode")) == `"required"` {
		mode = "ANY"
	}
	var c rawjson.Cursor
	c.Reset(chat.Member(raw, "tools"))
	for c.Array(); c.Elem(); {
		if name := chat.ToolName(c.Raw()); len(name) > 2 && declares(tools, name) {
			names = appendName(append(names, ','), name)
		}
	}
	if len(names) == 0 {
		return "AUTO", nil
	}
	names[0] = '['
	return mode, names
}
