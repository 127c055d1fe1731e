package adminapi

import (
	"encoding/json"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Schema is a JSON Schema, or another part of an OpenAPI document.
type Schema = map[string]any

// Schemas makes JSON Schemas from types. Structs become components, which
// refer to each other by name.
type Schemas struct {
	// Components are the structs by their names.
	Components map[string]Schema
}

// Of returns the schema of a type.
func (s *Schemas) Of(t reflect.Type) Schema {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return Schema{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return Schema{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.Of(t.Elem())
	case reflect.String:
		return Schema{"type": "string"}
	case reflect.Bool:
		return Schema{"type": "boolean"}
	case reflect.Float64:
		return Schema{"type": "number"}
	case reflect.Slice:
		return Schema{"type": "array", "items": s.Of(t.Elem())}
	case reflect.Map:
		return Schema{"type": "object", "additionalProperties": s.Of(t.Elem())}
	case reflect.Struct:
		return s.component(t)
	case reflect.Interface:
		return Schema{}
	default:
		return Schema{"type": "integer"}
	}
}

func (s *Schemas) component(t reflect.Type) Schema {
	name := t.Name()
	if !ours(t) { // two packages may have a Model
		name = strings.ToUpper(path.Base(t.PkgPath())[:1]) + path.Base(t.PkgPath())[1:] + name
	}
	ref := Schema{"$ref": "#/components/schemas/" + name}
	if _, done := s.Components[name]; done {
		return ref
	}
	properties, required := Schema{}, []string{}
	out := Schema{"type": "object", "properties": properties, "additionalProperties": open(t)}
	s.Components[name] = out // before its fields, which may refer to it
	for _, f := range fieldsOf(t) {
		member := nameOf(f)
		if member == "" {
			continue
		}
		properties[member] = s.Property(f)
		if !optional(f) {
			required = append(required, member)
		}
	}
	if len(required) > 0 {
		out["required"] = required
	}
	return ref
}

// open structs may have members that are not listed: those that write
// themselves, and those of the wire, whose readers ignore what they do not know.
func open(t reflect.Type) bool { return t.Implements(reflect.TypeFor[json.Marshaler]()) || !ours(t) }

func ours(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[None]().PkgPath() }

// Property returns the schema of a field with what its tags say.
func (s *Schemas) Property(f reflect.StructField) Schema {
	out := s.Of(f.Type)
	if doc := f.Tag.Get("doc"); doc != "" {
		out["description"] = doc
	}
	if choice := f.Tag.Get("enum"); choice != "" {
		out["enum"] = strings.Split(choice, ",")
	}
	for tag, key := range map[string]string{"min": "minimum", "max": "maximum", "maxlen": "maxLength"} {
		if n, err := strconv.ParseInt(f.Tag.Get(tag), 10, 64); err == nil {
			out[key] = n
		}
	}
	if f.Type.Kind() == reflect.Uint64 && out["minimum"] == nil {
		out["minimum"] = 0
	}
	if text := f.Tag.Get("default"); text != "" {
		out["default"] = text
		if n, err := strconv.Atoi(text); err == nil {
			out["default"] = n
		}
	}
	if nullable(f) {
		return Schema{"anyOf": []any{out, Schema{"type": "null"}}}
	}
	return out
}

func nullable(f reflect.StructField) bool {
	return f.Tag.Get("nullable") == "true" || f.Type.Kind() == reflect.Pointer && !optional(f)
}
