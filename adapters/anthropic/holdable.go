package anthropic

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// holdable reports whether constrained decoding can hold an answer to a schema
// without changing what it means: maps with keys of any name would become
// empty objects, and schemas that contain themselves are refused.
func holdable(schema []byte) bool {
	w := walk{root: schema, known: map[string]bool{}}
	return w.schema(schema)
}

// walk goes through a schema and what it refers to. known has false for a
// reference that is being followed, true for one that was.
type walk struct {
	root  []byte
	known map[string]bool
}

func (w *walk) schema(raw []byte) bool {
	if len(raw) == 0 || raw[0] != '{' {
		return true // true, false, or what no one can follow
	}
	object, named := false, false
	for key, val := range rawjson.Members(raw) {
		switch string(key) {
		case "additionalProperties":
			if string(val) != "false" {
				return false
			}
			named = true // an empty object is meant
		case "patternProperties":
			return false
		case "type":
			object = object || bytes.Contains(val, []byte(`"object"`))
		case "properties":
			named = true
		}
		if !w.member(string(key), val) {
			return false
		}
	}
	return !object || named || bytes.Contains(raw, []byte(`"$ref"`)) || bytes.Contains(raw, []byte(`Of"`))
}

// member goes into the schemas within a schema.
func (w *walk) member(key string, val []byte) bool {
	switch key {
	case "$ref":
		return w.reference(rawjson.Text(val))
	case "items":
		return w.schema(val)
	case "properties", "$defs", "definitions":
		for _, s := range rawjson.Members(val) {
			if !w.schema(s) {
				return false
			}
		}
	case "anyOf", "oneOf", "allOf", "prefixItems":
		for s := range rawjson.Elements(val) {
			if !w.schema(s) {
				return false
			}
		}
	}
	return true
}

func (w *walk) reference(ref string) bool {
	done, seen := w.known[ref]
	if seen {
		return done // not while it is being followed: it contains itself
	}
	target := w.root
	path, ok := bytes.CutPrefix([]byte(ref), []byte("#/"))
	if !ok {
		return false // the entire schema again, or another document
	}
	for name := range bytes.SplitSeq(path, []byte("/")) {
		target = chat.Member(target, string(name))
	}
	if target == nil {
		return false
	}
	w.known[ref] = false
	if !w.schema(target) {
		return false
	}
	w.known[ref] = true
	return true
}
