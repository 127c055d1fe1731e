package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// tint is a colour with a meaning.
type tint string

const (
	plain tint = ""
	bold  tint = "\x1b[1m"
	good  tint = "\x1b[32m"
	doubt tint = "\x1b[33m"
	bad   tint = "\x1b[31m"
	reset      = "\x1b[0m"
)

// column is one column of a table of T.
type column[T any] struct {
	// name is the member of the JSON form; in capitals it heads the column.
	name string
	// head replaces the name where the table shows another unit.
	head string
	text func(T) string
	// tint may be nil.
	tint func(T) tint
	// number aligns to the right.
	number bool
}

func (c column[T]) title() string {
	if c.head != "" {
		return c.head
	}
	return strings.ToUpper(c.name)
}

// list prints an array: its JSON form is rows as they are.
func list[T any](in *invocation, rows []T, columns []column[T]) error {
	if in.format() == formatCSV {
		if err := writeCSV(in.opts.Stdout, rows, columns); err != nil {
			return fmt.Errorf("write the output: %w", err)
		}
		return nil
	}
	return in.show(rows, func(w io.Writer) error { return writeTable(w, in.colour(), rows, columns) })
}

type cell struct {
	text  string
	tint  tint
	right bool
}

func writeTable[T any](w io.Writer, colour bool, rows []T, columns []column[T]) error {
	lines := make([][]cell, 1, len(rows)+1)
	for _, c := range columns {
		lines[0] = append(lines[0], cell{c.title(), bold, c.number})
	}
	for _, row := range rows {
		var line []cell
		for _, c := range columns {
			one := cell{text: orDash(printable(c.text(row))), right: c.number}
			if c.tint != nil {
				one.tint = c.tint(row)
			}
			line = append(line, one)
		}
		lines = append(lines, line)
	}
	return writeLines(w, colour, lines)
}

// field is one line about a single object.
type field struct {
	name string
	text string
	tint tint
}

// writeFields prints names and values as two columns.
func writeFields(w io.Writer, colour bool, fields []field) error {
	var lines [][]cell
	for _, f := range fields {
		lines = append(lines, []cell{{text: f.name, tint: bold}, {text: orDash(printable(f.text)), tint: f.tint}})
	}
	return writeLines(w, colour, lines)
}

func writeLines(w io.Writer, colour bool, lines [][]cell) error {
	var widths []int
	for _, line := range lines {
		for i, c := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(c.text))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, c := range line {
			b.WriteString(pad(c, widths[i], i == len(line)-1, colour))
		}
		if _, err := fmt.Fprintln(w, b.String()); err != nil {
			return err
		}
	}
	return nil
}

// pad fills a cell up to its width. Nothing follows the last cell of a line.
func pad(c cell, places int, last, colour bool) string {
	blanks := strings.Repeat(" ", places-runewidth.StringWidth(c.text))
	text := c.text
	if colour && c.tint != plain {
		text = string(c.tint) + text + reset
	}
	switch {
	case c.right && last:
		return blanks + text
	case c.right:
		return blanks + text + "  "
	case last:
		return text
	}
	return text + blanks + "  "
}

// orDash keeps the number of columns the same on each line.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// printable keeps texts of others from moving the cursor or breaking lines.
func printable(text string) string {
	if !strings.ContainsFunc(text, unsafeRune) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unsafeRune(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unsafeRune includes the marks that turn the direction of writing.
func unsafeRune(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }
