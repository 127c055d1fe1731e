package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

const (
	formatTable = "table"
	formatJSON  = "json"
	formatYAML  = "yaml"
)

// show prints a value as JSON or YAML, or for people as table writes it.
func (in *invocation) show(value any, table func(w io.Writer) error) error {
	var buf bytes.Buffer
	var err error
	switch in.format() {
	case formatJSON:
		err = writeJSON(&buf, value)
	case formatYAML:
		err = writeYAML(&buf, value)
	default:
		err = table(&buf)
	}
	if err != nil {
		return err
	}
	if _, err := in.opts.Stdout.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

func writeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

// writeYAML prints the same members in the same order as writeJSON: it reads
// the JSON, which is YAML too, and only changes its style.
func writeYAML(w io.Writer, value any) error {
	var text bytes.Buffer
	if err := writeJSON(&text, value); err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text.Bytes(), &doc); err != nil {
		return fmt.Errorf("turn JSON into YAML: %w", err)
	}
	blockStyle(&doc)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return fmt.Errorf("encode YAML: %w", err)
	}
	return enc.Close()
}

// blockStyle writes collections as lines. Texts stay in quotes, so that no
// reader takes one for a number, a date or a yes; the names need none.
func blockStyle(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode && len(n.Content) > 0 {
		n.Style = 0
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			child.Style = 0
		}
		blockStyle(child)
	}
}
