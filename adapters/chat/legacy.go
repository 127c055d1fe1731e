package chat

import (
	"errors"
	"strconv"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// errLegacy says that a request uses functions, function_call or the role
// function: the form of before there were tools.
var errLegacy = errors.New("legacy functions")

// modern rewrites a valid request in the form of before there were tools.
// Functions had no ids: a call gets its place in the conversation for one.
func modern(body []byte) ([]byte, error) {
	if Member(body, "functions") != nil && Member(body, "tools") != nil {
		return nil, invalid("functions: mutually exclusive with tools")
	}
	dst := []byte{'{'}
	for key, val := range rawjson.Members(body) {
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		switch string(key) {
		case "functions":
			dst = appendModernTools(append(dst, `"tools":`...), val)
		case "function_call":
			dst = append(dst, `"tool_choice":`...)
			if val[0] == '{' {
				dst = append(append(append(dst, `{"type":"function","function":`...), val...), '}')
			} else {
				dst = append(dst, val...)
			}
		case "messages":
			dst = appendModernMessages(append(dst, `"messages":`...), val)
		default:
			dst = append(append(append(append(dst, '"'), key...), '"', ':'), val...)
		}
	}
	return append(dst, '}'), nil
}

func appendModernTools(dst, functions []byte) []byte {
	if functions[0] != '[' {
		return append(dst, functions...) // checked as tools
	}
	dst = append(dst, '[')
	for f := range rawjson.Elements(functions) {
		if dst[len(dst)-1] != '[' {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, `{"type":"function","function":`...), f...), '}')
	}
	return append(dst, ']')
}

func appendModernMessages(dst, messages []byte) []byte {
	dst = append(dst, '[')
	calls := 0
	for msg := range rawjson.Elements(messages) {
		if dst[len(dst)-1] != '[' {
			dst = append(dst, ',')
		}
		if msg[0] != '{' {
			dst = append(dst, msg...)
			continue
		}
		if !rawjson.IsNull(Member(msg, "function_call")) {
			calls++
		}
		dst = appendModernMessage(dst, msg, `"call_legacy_`+strconv.Itoa(calls)+`"`)
	}
	return append(dst, ']')
}

// appendModernMessage rewrites a message; id is that of the latest call.
func appendModernMessage(dst, msg []byte, id string) []byte {
	result := string(Member(msg, "role")) == `"function"`
	dst = append(dst, '{')
	for key, val := range rawjson.Members(msg) {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		switch {
		case string(key) == "role" && result:
			dst = append(append(dst, `"role":"tool","tool_call_id":`...), id...)
		case string(key) == "function_call" && !rawjson.IsNull(val):
			dst = append(append(append(dst, `"tool_calls":[{"type":"function","id":`...), id...), `,"function":`...)
			dst = append(append(dst, val...), "}]"...)
		default:
			dst = append(append(append(append(dst, '"'), key...), '"', ':'), val...)
		}
	}
	return append(dst, '}')
}
