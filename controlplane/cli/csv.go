package cli

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// writeCSV writes a list with the names of its JSON form.
func writeCSV[T any](w io.Writer, rows []T, columns []column[T]) error {
	table := csv.NewWriter(w)
	line := make([]string, len(columns))
	for i, c := range columns {
		line[i] = c.name
	}
	if err := table.Write(line); err != nil {
		return err
	}
	for _, row := range rows {
		for i, c := range columns {
			line[i] = csvCell(c.text(row))
		}
		if err := table.Write(line); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

// csvCell keeps texts of clients from being run as formulas by spreadsheets,
// and from breaking lines: a quote goes before what could begin a formula, and
// control characters are written out.
func csvCell(text string) string {
	if text == "" {
		return ""
	}
	text = printable(text)
	if strings.IndexByte("=+-@", text[0]) < 0 && !strings.HasPrefix(text, "\\u") {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}
