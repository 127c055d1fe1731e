package gemini

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// plain reports whether Google's own schema type can say all of a schema.
func plain(schema []byte, depth int) bool {
	var c rawjson.Cursor
	c.Reset(schema)
	if depth > deepest || !c.Object() {
		return false
	}
	kind := strings.ToLower(string(rawjson.Inner(chat.Member(schema, "type"))))
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		if !plainKeyword(kind, string(key), c.Raw(), depth) {
			return false
		}
	}
	switch kind {
	case "string", "number", "integer", "boolean":
		return true
	case "array":
		return chat.Member(schema, "items") != nil
	case "object":
		return plainRequired(schema)
	}
	return false
}

// plainKeyword reports whether a keyword of a schema of some kind means the
// same to Google.
func plainKeyword(kind, key string, val []byte, depth int) bool {
	switch key {
	case "type", "description", "title", "pattern":
		return isString(val)
	case "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength":
		return val[0] == '-' || isDigit(val[0])
	case "required":
		return val[0] == '['
	case "enum":
		return kind == "string" && val[0] == '[' && plainEnum(val)
	case "items":
		return kind == "array" && plain(val, depth+1)
	case "properties":
		return kind == "object" && plainProperties(val, depth+1)
	}
	return false
}

// plainEnum reports whether the choices are strings with something in them.
func plainEnum(raw []byte) bool {
	var c rawjson.Cursor
	c.Reset(raw)
	n := 0
	for c.Array(); c.Elem(); n++ {
		if len(c.Str()) <= 2 {
			return false
		}
	}
	return n > 0
}

// plainProperties reports whether there are members and all have names that
// Google takes and plain schemas.
func plainProperties(raw []byte, depth int) bool {
	var c rawjson.Cursor
	c.Reset(raw)
	c.Object()
	n := 0
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		if n++; !identifier(key) || !plain(c.Raw(), depth) {
			return false
		}
	}
	return n > 0
}

// plainRequired reports whether the object has members, and what it requires
// is among them: Google refuses anything else.
func plainRequired(schema []byte) bool {
	properties := chat.Member(schema, "properties")
	var c rawjson.Cursor
	c.Reset(chat.Member(schema, "required"))
	for c.Array(); c.Elem(); {
		if name := rawjson.Inner(c.Str()); name == nil || chat.Member(properties, string(name)) == nil {
			return false
		}
	}
	return properties != nil
}

func identifier(name []byte) bool {
	const longest = 64
	for _, ch := range name {
		if ch != '_' && !isDigit(ch) && (ch|0x20 < 'a' || ch|0x20 > 'z') {
			return false
		}
	}
	return len(name) > 0 && len(name) <= longest && !isDigit(name[0])
}
