package config

import (
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"
)

// value is one YAML node and the path of keys that leads to it. Its methods
// read the node as something; what does not fit is added to the problems of the
// run, and the target keeps what it had.
type value struct {
	run  *reading
	file string
	node *yaml.Node
	key  string
	// line is where the node is used; behind an alias it stands elsewhere.
	line int
}

// given reports whether there is a node at all: the zero value stands for a key
// that the file does not have.
func (v value) given() bool { return v.node != nil }

// of returns a node of the same file, behind its alias.
func (v value) of(node *yaml.Node, key string) value {
	v.line = node.Line
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	v.node, v.key = node, key
	return v
}

func (v value) member(name string, node *yaml.Node) value {
	if v.key == "" {
		return v.of(node, name)
	}
	return v.of(node, v.key+"."+name)
}

func (v value) place() Place { return Place{v.file, v.line, v.key} }

func (v value) problemf(format string, args ...any) {
	v.run.report(v.place().Problem(format, args...))
}

func (v value) warnf(format string, args ...any) { v.run.warn(v.place().warning(format, args...)) }

// null reports an explicit null, which is treated like an absent key.
func (v value) null() bool {
	return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null"
}

// items returns the entries of a list.
func (v value) items() ([]value, bool) {
	if v.node.Kind != yaml.SequenceNode {
		v.problemf("must be a list, got %s", v.describe())
		return nil, false
	}
	if !v.run.visit(v, len(v.node.Content)) {
		return nil, false
	}
	items := make([]value, len(v.node.Content))
	for i, n := range v.node.Content {
		items[i] = v.of(n, v.key+"["+strconv.Itoa(i)+"]")
	}
	return items, true
}

// describe says what the node is, for "must be ..., got ...".
func (v value) describe() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "a mapping (key: value)"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode, yaml.DocumentNode, yaml.AliasNode:
	}
	switch v.node.ShortTag() {
	case "!!int", "!!float":
		return "the number " + shorten(v.node.Value)
	case "!!bool":
		return shorten(v.node.Value)
	case "!!null":
		return "nothing"
	default:
		return quote(v.node.Value)
	}
}

// quote shows a piece of the file in a message.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

func shorten(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return s
}
