package gemini

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// appendParameters appends a function's parameters, if it has any.
//
// Google has two fields for them. parameters is a type of its own that knows
// few keywords and refuses a request for any other; parametersJsonSchema takes
// JSON Schema. All models know the first, so it is used as long as it can say
// the same; everything else is sent unchanged rather than reduced.
func appendParameters(dst, schema []byte) []byte {
	if noArguments(schema) {
		return dst
	}
	if chat.Member(schema, "type") == nil && chat.Member(schema, "properties") != nil {
		schema = append([]byte(`{"type":"object",`), schema[1:]...)
	}
	if plain(schema, 0) {
		return appendMember(dst, "parameters", schema)
	}
	return appendSchema(appendKey(dst, "parametersJsonSchema"), schema)
}

// noArguments reports whether a schema describes an object without members:
// Google wants no schema at all then.
func noArguments(schema []byte) bool {
	if rawjson.IsNull(schema) {
		return true
	}
	var c rawjson.Cursor
	c.Reset(schema)
	c.Object()
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		switch string(key) {
		case "type", "$schema", "title", "description":
		case "additionalProperties":
			if val[0] == '{' {
				return false
			}
		case "properties", "required":
			if val[0] != 'n' && len(bytes.TrimSpace(val[1:len(val)-1])) > 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// appendSchema appends a JSON Schema for the fields that take one, less what
// they are known to refuse: the dialect's name, and anything beside a $ref.
func appendSchema(dst, schema []byte) []byte {
	if !bytes.Contains(schema, []byte(`"$schema"`)) && !bytes.Contains(schema, []byte(`"$ref"`)) {
		return append(dst, schema...)
	}
	return appendNode(dst, schema, 0)
}

// deepest bounds how far a schema is followed: each level is read again for
// the level above it, and the client chooses the levels.
const deepest = 32

func appendNode(dst, raw []byte, depth int) []byte {
	var c rawjson.Cursor
	c.Reset(raw)
	switch {
	case depth > deepest:
	case c.Kind() == rawjson.Object:
		return appendObject(dst, raw, depth)
	case c.Array():
		dst = append(dst, '[')
		for n := 0; c.Elem(); n++ {
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = appendNode(dst, c.Raw(), depth+1)
		}
		return append(dst, ']')
	}
	return append(dst, raw...)
}

func appendObject(dst, raw []byte, depth int) []byte {
	reference := isString(chat.Member(raw, "$ref"))
	var c rawjson.Cursor
	c.Reset(raw)
	c.Object()
	dst = append(dst, '{')
	start := len(dst)
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		if string(key) == "$schema" && isString(val) || reference && !bytes.HasPrefix(key, []byte("$")) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), key...), '"', ':')
		dst = appendNode(dst, val, depth+1)
	}
	return append(dst, '}')
}

func isString(raw []byte) bool { return len(raw) > 0 && raw[0] == '"' }
