package provider

import (
	"fmt"
	"reflect"
)

// complaints gathers what is wrong with a request.
type complaints struct{ list []string }

func (c *complaints) sayf(format string, args ...any) {
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

func (c *complaints) none() bool { return len(c.list) == 0 }

// want compares something with what it has to be.
func (c *complaints) want(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		c.sayf("%s is %#v, must be %#v", what, got, want)
	}
}

// without complains of members that the provider does not know.
func (c *complaints) without(what string, obj map[string]any, names ...string) {
	for _, name := range names {
		if _, ok := obj[name]; ok {
			c.sayf("%s has %s, which is refused", what, name)
		}
	}
}

// only complains of members other than these.
func (c *complaints) only(what string, obj map[string]any, names ...string) {
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for name := range obj {
		if !known[name] {
			c.sayf("%s has %s, which is not known", what, name)
		}
	}
}

// object returns a member that is an object, nil otherwise.
func object(v any, path ...any) map[string]any { m, _ := at(v, path...).(map[string]any); return m }

// list returns a member that is an array, nil otherwise.
func list(v any, path ...any) []any { l, _ := at(v, path...).([]any); return l }

// text returns a member that is a string, "" otherwise.
func text(v any, path ...any) string { s, _ := at(v, path...).(string); return s }

// at follows names and positions, where -1 is the last.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step < 0 {
				step += len(l)
			}
			if step < 0 || step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}
