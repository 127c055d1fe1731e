package env

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/hybridinference/gateway/shared/secret"
)

// Setting describes one variable.
type Setting struct {
	Name string
	// Aliases are older names that still work.
	Aliases []string
	// Takes is the form of a value: N, TEXT, or the words that are allowed.
	Takes string
	// Default is "" for none.
	Default, Help string
	// Section is the heading of its group.
	Section string
}

// field is a setting and where its value goes.
type field struct {
	Setting

	value reflect.Value
	tag   reflect.StructTag
}

func (f *field) names() []string { return append([]string{f.Name}, f.Aliases...) }

func (f *field) isSwitch() bool { return f.value.Kind() == reflect.Bool }

// Describe returns the settings of a process: settings points to its struct.
func Describe(settings any) []Setting {
	fields := fieldsOf(settings)
	out := make([]Setting, len(fields))
	for i := range fields {
		out[i] = fields[i].Setting
	}
	return out
}

// fieldsOf panics if the struct itself is wrong: that shows at the first start.
func fieldsOf(settings any) []field {
	fields := collect(reflect.ValueOf(settings).Elem(), "", nil)
	seen := make(map[string]bool)
	for i := range fields {
		for _, name := range fields[i].names() {
			if seen[name] {
				panic("env: two fields are " + name)
			}
			seen[name] = true
		}
	}
	return fields
}

func collect(v reflect.Value, section string, defaults map[string]string) (out []field) {
	for i := range v.NumField() {
		part, tag := v.Type().Field(i), v.Type().Field(i).Tag
		if isGroup(part) {
			if part.Anonymous {
				panic("env: " + part.Name + " is embedded: groups are named fields, since an embedded Check would count as the outer one's, too")
			}
			inner := section
			if own := tag.Get("section"); own != "" {
				inner = own
			}
			out = append(out, collect(v.Field(i), inner, override(tag.Get("defaults"), defaults))...)
			continue
		}
		if tag.Get("env") == "" {
			continue
		}
		names := strings.Split(tag.Get("env"), "|")
		f := field{value: v.Field(i), tag: tag, Setting: Setting{
			Name: names[0], Aliases: names[1:], Default: tag.Get("default"), Help: tag.Get("help"), Section: section,
		}}
		if def, ok := defaults[f.Name]; ok {
			f.Default = def
		}
		f.Takes = f.takes()
		out = append(out, f)
	}
	return out
}

// isGroup tells a struct of settings from a struct that is one value.
func isGroup(part reflect.StructField) bool {
	return part.Type.Kind() == reflect.Struct && part.IsExported() && part.Tag.Get("env") == ""
}

// override adds a group's defaults tag; those of an outer group win.
func override(tag string, outer map[string]string) map[string]string {
	out := make(map[string]string)
	for pair := range strings.FieldsSeq(tag) {
		name, value, _ := strings.Cut(pair, "=")
		out[name] = value
	}
	maps.Copy(out, outer)
	return out
}

func (f *field) takes() string {
	if words := f.tag.Get("oneof"); words != "" {
		return strings.ReplaceAll(words, ",", "|")
	}
	switch f.value.Interface().(type) {
	case bool:
		return "true|false"
	case int, int64:
		return "N"
	case float64:
		return "X"
	case time.Duration:
		return "SECONDS"
	case []string, []netip.Prefix:
		return "A,B,..."
	case secret.String:
		return "SECRET"
	case File:
		return "FILE"
	case string:
		return "TEXT"
	}
	panic(fmt.Sprintf("env: %s is a %s, which cannot be a setting", f.Name, f.value.Type()))
}
