package markup

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// parse splits a complete block of calls, tags included.
func (p *Parser) parse(block []byte, out []Piece) ([]Piece, bool) {
	switch p.closing {
	case closeMiniMax:
		return p.functions(inner(block, openMiniMax, closeMiniMax), `<invoke name=`, "</invoke>", `<parameter name=`, out)
	case endFunction:
		return p.functions(block, openFunction, endFunction, "<parameter=", out)
	case closeDSML:
		return p.dsml(inner(block, openDSML, closeDSML), out)
	case closeDSML32:
		return p.dsml(inner(block, openDSML32, closeDSML32), out)
	case closeKimi:
		return kimi(inner(block, openKimi, closeKimi), out)
	case endKimiCall:
		return kimi(block, out)
	}
	body := inner(block, openCall, closeCall)
	switch {
	case len(body) > 0 && body[0] == '{':
		return document(body, out)
	case bytes.HasPrefix(body, []byte(openFunction)):
		return p.functions(body, openFunction, endFunction, "<parameter=", out)
	case p.dialect&GLM != 0:
		return p.glm(body, out)
	}
	return out, false
}

func inner(block []byte, open, closing string) []byte {
	return bytes.TrimSpace(block[len(open) : len(block)-len(closing)])
}

// document reads {"name":...,"arguments":{...}}, the form of older models.
func document(body []byte, out []Piece) ([]Piece, bool) {
	if rawjson.Valid(body) != nil {
		return out, false
	}
	name, arguments := chat.Member(body, "name"), chat.Member(body, "arguments")
	if len(rawjson.Inner(name)) == 0 {
		return out, false
	}
	if len(arguments) > 0 && arguments[0] == '"' {
		arguments = []byte(rawjson.Text(arguments))
	}
	switch {
	case rawjson.IsNull(arguments):
		arguments = []byte("{}")
	case arguments[0] != '{' || rawjson.Valid(arguments) != nil:
		return out, false // text, so that what the model meant is not lost
	}
	return append(out, Piece{Kind: Call, Name: []byte(rawjson.Text(name)), Arguments: arguments}), true
}

// glm reads a name and pairs of arg_key and arg_value.
func (p *Parser) glm(body []byte, out []Piece) ([]Piece, bool) {
	name, rest, _ := bytes.Cut(body, []byte("<arg_key>"))
	name = bytes.TrimSpace(name)
	if !isName(name) {
		return out, false
	}
	args := p.arguments(name)
	for more := len(rest) > 0; more; {
		key, after, ok := bytes.Cut(rest, []byte("</arg_key>"))
		_, after, ok2 := bytes.Cut(after, []byte("<arg_value>"))
		value, after, ok3 := bytes.Cut(after, []byte("</arg_value>"))
		if !ok || !ok2 || !ok3 {
			return out, false
		}
		args.add(bytes.TrimSpace(key), value)
		_, rest, more = bytes.Cut(after, []byte("<arg_key>"))
	}
	return append(out, Piece{Kind: Call, Name: name, Arguments: args.object()}), true
}

// kimi reads calls of the form functions.name:index, which is also their id.
func kimi(body []byte, out []Piece) ([]Piece, bool) {
	n := len(out)
	for {
		_, rest, ok := bytes.Cut(body, []byte(openKimiCall))
		if !ok {
			return out, len(out) > n
		}
		call, rest, ok := bytes.Cut(rest, []byte(endKimiCall))
		id, arguments, ok2 := bytes.Cut(call, []byte("<|tool_call_argument_begin|>"))
		id, arguments = bytes.TrimSpace(id), bytes.TrimSpace(arguments)
		if !ok || !ok2 || !isName(id) {
			return out[:n], false
		}
		if len(arguments) == 0 {
			arguments = []byte("{}")
		}
		if arguments[0] != '{' || rawjson.Valid(arguments) != nil {
			return out[:n], false
		}
		name := bytes.TrimPrefix(id, []byte("functions."))
		if i := bytes.LastIndexByte(name, ':'); i > 0 {
			name = name[:i]
		}
		out = append(out, Piece{Kind: Call, ID: id, Name: name, Arguments: arguments})
		body = rest
	}
}

// dsml reads DeepSeek's invocations, whose parameters say whether they are text.
func (p *Parser) dsml(body []byte, out []Piece) ([]Piece, bool) {
	const open, closing, parameter, endParameter = `<｜DSML｜invoke name="`, "</｜DSML｜invoke>", `<｜DSML｜parameter name="`, "</｜DSML｜parameter>"
	n := len(out)
	for {
		_, rest, ok := bytes.Cut(body, []byte(open))
		if !ok {
			return out, len(out) > n
		}
		name, rest, ok := bytes.Cut(rest, []byte(`">`))
		function, rest, ok2 := bytes.Cut(rest, []byte(closing))
		if !ok || !ok2 || !isName(name) {
			return out[:n], false
		}
		args := p.arguments(name)
		for _, after, more := bytes.Cut(function, []byte(parameter)); more; _, after, more = bytes.Cut(after, []byte(parameter)) {
			head, value, ok := bytes.Cut(after, []byte(">"))
			value, after2, ok2 := bytes.Cut(value, []byte(endParameter))
			if !ok || !ok2 {
				return out[:n], false
			}
			key, form, _ := bytes.Cut(head, []byte(`"`))
			args.addAs(key, value, bytes.Contains(form, []byte(`string="true"`)) || args.isText(key))
			after = after2
		}
		out = append(out, Piece{Kind: Call, Name: name, Arguments: args.object()})
		body = rest
	}
}

// functions reads any number of functions with their parameters.
func (p *Parser) functions(body []byte, open, closing, parameter string, out []Piece) ([]Piece, bool) {
	n := len(out)
	for {
		_, rest, ok := bytes.Cut(body, []byte(open))
		if !ok {
			return out, len(out) > n
		}
		name, rest, ok := bytes.Cut(rest, []byte(">"))
		name = unquoted(name)
		function, rest, ok2 := bytes.Cut(rest, []byte(closing))
		if !ok || !ok2 || !isName(name) {
			return out[:n], false
		}
		args := p.arguments(name)
		if !args.parameters(function, parameter) {
			return out[:n], false
		}
		out = append(out, Piece{Kind: Call, Name: name, Arguments: args.object()})
		body = rest
	}
}

func unquoted(name []byte) []byte { return bytes.Trim(bytes.TrimSpace(name), `"'`) }

// isName keeps prose between tags from passing for a call.
func isName(name []byte) bool {
	return len(name) > 0 && len(name) <= 128 && bytes.IndexFunc(name, func(r rune) bool {
		return r <= ' ' || r == '<' || r == '>' || r == '"' || r == '{'
	}) < 0
}

// arguments builds the JSON object of a call's arguments.
type arguments struct {
	// properties are the schemas of the tool's parameters, nil if not known.
	properties []byte
	json       []byte
}

func (p *Parser) arguments(name []byte) *arguments {
	a := &arguments{json: []byte{'{'}}
	var c rawjson.Cursor
	c.Reset(p.tools)
	for c.Array(); c.Elem(); {
		function := chat.Member(c.Raw(), "function")
		if string(rawjson.Unquote(nil, chat.Member(function, "name"))) == string(name) {
			a.properties = chat.Member(chat.Member(function, "parameters"), "properties")
		}
	}
	return a
}

// parameters reads the parameters of a function; false if one does not end.
func (a *arguments) parameters(body []byte, open string) bool {
	const closing = "</parameter>"
	for {
		_, rest, ok := bytes.Cut(body, []byte(open))
		if !ok {
			return true
		}
		key, rest, ok := bytes.Cut(rest, []byte(">"))
		value, rest, ok2 := bytes.Cut(rest, []byte(closing))
		if !ok || !ok2 {
			return false
		}
		a.add(unquoted(key), value)
		body = rest
	}
}

// add takes in one argument. A value of a parameter that is a string is text,
// less the line ends that set it off; any other is JSON if it can be.
func (a *arguments) add(key, value []byte) {
	value = bytes.TrimPrefix(bytes.TrimPrefix(value, []byte("\r")), []byte("\n"))
	value = bytes.TrimSuffix(bytes.TrimSuffix(value, []byte("\n")), []byte("\r"))
	a.addAs(key, value, a.isText(key))
}

func (a *arguments) addAs(key, value []byte, text bool) {
	if len(a.json) > 1 {
		a.json = append(a.json, ',')
	}
	a.json = append(rawjson.AppendString(a.json, key), ':')
	if raw := bytes.TrimSpace(value); !text && rawjson.Valid(raw) == nil {
		a.json = append(a.json, raw...)
		return
	}
	a.json = rawjson.AppendString(a.json, value)
}

func (a *arguments) isText(key []byte) bool {
	return string(chat.Member(chat.Member(a.properties, string(key)), "type")) == `"string"`
}

func (a *arguments) object() []byte { return append(a.json, '}') }
