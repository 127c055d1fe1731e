package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
	formatCSV   = "csv"
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
	case formatCSV:
		err = usagef("--output csv is for lists, this command prints a single object")
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
