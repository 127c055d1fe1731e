package openai

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// encodeValue writes a parameter's value as the server takes it.
func (a *Adapter) encodeValue(p *plan, f *chat.Field, call *codec.Call) {
	switch f.Param {
	case chat.Temperature:
		call.Body = a.appendTemperature(call.Body, f.Value)
	case chat.Stop:
		if a.profile.oneStop {
			a.encodeStop(f.Value, call)
			return
		}
		call.Body = append(call.Body, f.Value...)
	case chat.ResponseFormat:
		call.Body = a.appendFormat(call.Body, f.Value)
	case chat.ToolChoice:
		switch kind := string(chat.Member(p.choice, "type")); {
		case string(p.choice) == `"any"`: // Anthropic's word
			call.Body = append(call.Body, `"required"`...)
		case kind == `"custom"` && !slices.Contains(a.profile.toolTypes, "custom"):
			call.Body = append(append(call.Body, `{"type":"function","function":{"name":`...), chat.ToolName(p.choice)...)
			call.Body = append(call.Body, `}}`...)
		default:
			call.Body = append(call.Body, p.choice...)
		}
	case chat.User:
		call.Body = appendUser(call.Body, f.Value)
	case chat.Tools:
		call.Body = a.appendTools(call.Body, p.tools)
	default:
		call.Body = append(call.Body, f.Value...)
	}
}

// appendUser copies the user's name, or a hash of one that is longer than what
// servers take: agents put device, account and session into it.
func appendUser(dst, value []byte) []byte {
	const longest = 64
	if len(value) <= longest+2 {
		return append(dst, value...)
	}
	sum := sha256.Sum256(rawjson.Unquote(nil, value))
	return append(hex.AppendEncode(append(dst, '"'), sum[:]), '"')
}

func (a *Adapter) appendTemperature(dst, value []byte) []byte {
	t, _ := rawjson.Float(value)
	switch highest := a.profile.maxTemperature; {
	case t == 0 && a.profile.minTemperature != "":
		return append(dst, a.profile.minTemperature...)
	case highest > 0 && t > highest:
		return strconv.AppendFloat(dst, highest, 'g', -1, 64)
	}
	return append(dst, value...)
}

// encodeStop writes the first stop word, as an array of one.
func (a *Adapter) encodeStop(value []byte, call *codec.Call) {
	var c rawjson.Cursor
	c.Reset(value)
	first := value
	if c.Array() {
		if !c.Elem() {
			call.Body = append(call.Body, value...)
			return
		}
		first = c.Raw()
		if c.Elem() {
			call.Dropped |= chat.SetOf(chat.Stop) // in part
		}
	}
	call.Body = append(append(append(call.Body, '['), first...), ']')
}

// appendFormat reduces a schema to json_object for servers without schemas,
// whose prompt has it then, and writes the short form {"type":"json_schema","schema":{...}} out.
func (a *Adapter) appendFormat(dst, value []byte) []byte {
	if string(chat.Member(value, "type")) != `"json_schema"` {
		return append(dst, value...)
	}
	if a.traits.Schema == "json_object" {
		return append(dst, `{"type":"json_object"}`...)
	}
	if schema := chat.Member(value, "schema"); len(schema) > 0 && len(chat.Member(value, "json_schema")) == 0 {
		dst = append(dst, `{"type":"json_schema","json_schema":{"name":"response","schema":`...)
		return append(append(dst, schema...), "}}"...)
	}
	return append(dst, value...)
}

// appendTools copies tools, less cache_control where the server would refuse
// it, and with parameters where it misses them.
func (a *Adapter) appendTools(dst, value []byte) []byte {
	strip := !a.profile.keepCache && bytes.Contains(value, []byte(`"cache_control"`))
	if !strip && !a.profile.fullTools {
		return append(dst, value...)
	}
	var c rawjson.Cursor
	c.Reset(value)
	c.Array()
	dst = append(dst, '[')
	for n := 0; c.Elem(); n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		tool := c.Raw()
		if function := chat.Member(tool, "function"); a.profile.fullTools && len(function) > 0 && rawjson.IsNull(chat.Member(function, "parameters")) {
			tool = appendWith(nil, tool, "function", appendWith(nil, function, "parameters", []byte(`{"type":"object","properties":{}}`)))
		}
		dst = appendWith(dst, tool, "cache_control", nil)
	}
	return append(dst, ']')
}
