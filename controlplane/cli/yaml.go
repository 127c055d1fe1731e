package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"

	"gopkg.in/yaml.v3"
)

// writeYAML prints the same members in the same order as writeJSON, whose
// output it reads.
func writeYAML(w io.Writer, value any) error {
	var text bytes.Buffer
	if err := writeJSON(&text, value); err != nil {
		return err
	}
	dec := json.NewDecoder(&text)
	dec.UseNumber()
	node, err := readNode(dec)
	if err != nil {
		return fmt.Errorf("turn JSON into YAML: %w", err)
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(node); err != nil {
		return fmt.Errorf("encode YAML: %w", err)
	}
	return enc.Close()
}

// readNode reads one JSON value. nil is the end of a collection.
func readNode(dec *json.Decoder) (*yaml.Node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch x := token.(type) {
	case json.Delim:
		return readCollection(dec, x)
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: x.String()}, nil // every digit is kept
	case string:
		// quoted, so that no reader takes it for a number, a date or a boolean
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: x, Style: yaml.DoubleQuotedStyle}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(x)}, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
}

func readCollection(dec *json.Decoder, open json.Delim) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	switch open {
	case ']', '}':
		return nil, nil
	case '{':
		node.Kind, node.Tag = yaml.MappingNode, "!!map"
	}
	for {
		child, err := readNode(dec)
		if err != nil {
			return nil, err
		}
		if child == nil {
			break
		}
		if node.Kind == yaml.MappingNode && len(node.Content)%2 == 0 {
			child.Style = nameStyle(child.Value)
		}
		node.Content = append(node.Content, child)
	}
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle
	}
	return node, nil
}

// nameStyle leaves unquoted the names that no reader takes for anything else.
func nameStyle(name string) yaml.Style {
	switch name {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return yaml.DoubleQuotedStyle
	}
	if bare, _ := regexp.MatchString("^[a-z][a-z0-9_]*$", name); bare { // the pattern is good
		return 0
	}
	return yaml.DoubleQuotedStyle
}
