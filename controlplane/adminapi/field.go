package adminapi

import (
	"math"
	"reflect"
	"strconv"
	"strings"
)

// fieldsOf lists the fields of a struct with those of embedded structs in
// their place.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var out []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous && f.IsExported() {
			out = append(out, f)
		}
	}
	return out
}

// nameOf is the name in JSON, "" for a field that is not in it.
func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// optional fields may be missing in JSON.
func optional(f reflect.StructField) bool {
	_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	return strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
}

// bounds returns the range of an integer, 0 and above without tags.
func bounds(f reflect.StructField) (low, high int64) {
	high = math.MaxInt64
	if n, err := strconv.ParseInt(f.Tag.Get("min"), 10, 64); err == nil {
		low = n
	}
	if n, err := strconv.ParseInt(f.Tag.Get("max"), 10, 64); err == nil {
		high = n
	}
	return low, high
}

// between puts bounds into words.
func between(f reflect.StructField) string {
	low, high := bounds(f)
	text := "from " + strconv.FormatInt(low, 10)
	if high != math.MaxInt64 {
		text += " to " + strconv.FormatInt(high, 10)
	}
	return text
}

// FillLists replaces nil slices in what v points at by empty ones, so that
// JSON has [] rather than null. Fields that may be missing stay.
func FillLists(v any) { fill(reflect.ValueOf(v).Elem()) }

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return // bytes, such as a json.RawMessage
		}
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && (f.Anonymous || nameOf(f) != "" && !optional(f)) {
				fill(v.Field(i))
			}
		}
	default:
	}
}
