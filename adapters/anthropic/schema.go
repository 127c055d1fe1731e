package anthropic

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

const emptySchema = `{"type":"object","properties":{}}`

// appendInputSchema appends a tool's parameters as the object schema that the
// API demands: with type object, and with alternatives at the top merged into
// one list of properties.
func appendInputSchema(dst, raw []byte) []byte {
	if rawjson.IsNull(raw) || raw[0] != '{' {
		return append(dst, emptySchema...)
	}
	props := chat.Member(raw, "properties")
	choices := [][]byte{chat.Member(raw, "anyOf"), chat.Member(raw, "oneOf"), chat.Member(raw, "allOf")}
	if string(chat.Member(raw, "type")) == `"object"` && len(choices[0])+len(choices[1])+len(choices[2]) == 0 {
		return append(dst, raw...)
	}
	dst = append(dst, `{"type":"object"`...)
	for key, val := range rawjson.Members(raw) {
		switch string(key) {
		case "type", "properties", "anyOf", "oneOf", "allOf":
		default:
			dst = append(append(append(append(dst, ',', '"'), key...), '"', ':'), val...)
		}
	}
	dst = append(dst, `,"properties":{`...)
	seen := map[string]bool{}
	dst = appendProperties(dst, props, seen)
	for _, list := range choices {
		for variant := range rawjson.Elements(list) {
			dst = appendProperties(dst, chat.Member(variant, "properties"), seen)
		}
	}
	return append(dst, '}', '}')
}

// appendProperties appends the properties that were not seen yet.
func appendProperties(dst, props []byte, seen map[string]bool) []byte {
	for key, val := range rawjson.Members(props) {
		if seen[string(key)] {
			continue
		}
		if len(seen) > 0 {
			dst = append(dst, ',')
		}
		seen[string(key)] = true
		dst = append(append(append(append(dst, '"'), key...), '"', ':'), val...)
	}
	return dst
}

// appendOutputSchema appends the schema of an answer without the keywords that
// constrained decoding refuses, and with every object closed, as it demands.
func appendOutputSchema(dst, raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '{' {
		return append(dst, raw...)
	}
	dst = append(dst, '{')
	first := len(dst)
	object := false
	for key, val := range rawjson.Members(raw) {
		switch {
		case string(key) == "type" && bytes.Contains(val, []byte(`"object"`)), string(key) == "properties":
			object = true
		case !decodable(string(key), val):
			continue
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = appendKeyword(dst, key, val)
	}
	if object {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(dst, `"additionalProperties":false`...)
	}
	return append(dst, '}')
}

// decodable reports whether a keyword is one that decoding can follow.
func decodable(key string, val []byte) bool {
	switch key {
	case "additionalProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
		"uniqueItems", "contains", "minContains", "maxContains", "minProperties", "maxProperties", "patternProperties", "propertyNames",
		"dependentRequired", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "if", "then", "else", "not", "$schema", "$id", "examples":
		return false
	case "minItems":
		return string(val) == "0" || string(val) == "1"
	case "pattern": // look-around and word boundaries are beyond it
		return !bytes.Contains(val, []byte("(?")) && !bytes.Contains(val, []byte(`\\b`)) && !bytes.Contains(val, []byte(`\\B`))
	case "format":
		switch string(rawjson.Inner(val)) {
		case "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid":
			return true
		}
		return false
	}
	return true
}

// appendKeyword appends a member of a schema; schemas within it are treated alike.
func appendKeyword(dst, key, val []byte) []byte {
	name := string(key)
	if name == "oneOf" {
		name = "anyOf"
	}
	dst = append(append(append(dst, '"'), name...), '"', ':')
	switch {
	case name == "items":
		return appendOutputSchema(dst, val)
	case val[0] == '[' && (name == "anyOf" || name == "allOf" || name == "prefixItems"):
		dst = append(dst, '[')
		first := len(dst)
		for schema := range rawjson.Elements(val) {
			if len(dst) > first {
				dst = append(dst, ',')
			}
			dst = appendOutputSchema(dst, schema)
		}
		return append(dst, ']')
	case val[0] == '{' && (name == "properties" || name == "$defs" || name == "definitions"):
		dst = append(dst, '{')
		first := len(dst)
		for property, schema := range rawjson.Members(val) {
			if len(dst) > first {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, '"'), property...), '"', ':')
			dst = appendOutputSchema(dst, schema)
		}
		return append(dst, '}')
	}
	return append(dst, val...)
}
