package cli

import (
	"fmt"
	"io"
	"slices"
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
	// spare columns are the first to be left out where a terminal is too narrow.
	spare bool
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
	return in.show(rows, func(w io.Writer) error { return writeTable(w, in.look(), rows, columns) })
}

type cell struct {
	text  string
	tint  tint
	right bool
}

func writeTable[T any](w io.Writer, l look, rows []T, columns []column[T]) error {
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
	return writeLines(w, l, fit(lines, columns, l.width))
}

// shortest is how much of a text stays where it is shortened.
const shortest = 12

// fit makes a table at most width columns wide, as far as that goes: spare
// columns are left out from the right, then texts are shortened, the last column's
// first, since it says the most in words. Width 0 changes nothing.
func fit[T any](lines [][]cell, columns []column[T], width int) [][]cell {
	if width <= 0 {
		return lines
	}
	columns = slices.Clone(columns)
	for i := len(columns) - 1; i >= 0 && total(widthsOf(lines)) > width; i-- {
		if !columns[i].spare {
			continue
		}
		columns = slices.Delete(columns, i, i+1)
		for j := range lines {
			lines[j] = slices.Delete(lines[j], i, i+1)
		}
	}
	widths := widthsOf(lines)
	for last := true; total(widths) > width; last = false {
		i := len(widths) - 1
		if !last || columns[i].number || widths[i] <= shortest {
			if i = widest(widths, columns); i < 0 {
				break
			}
		}
		widths[i] = max(shortest, widths[i]-(total(widths)-width))
		for _, line := range lines {
			line[i].text = runewidth.Truncate(line[i].text, widths[i], "…")
		}
	}
	return lines
}

// widest returns the widest column of texts that can be shortened, -1 without one.
func widest[T any](widths []int, columns []column[T]) int {
	found := -1
	for i, w := range widths {
		if !columns[i].number && w > shortest && (found < 0 || w > widths[found]) {
			found = i
		}
	}
	return found
}

const gap = "  "

// total is how wide a table is.
func total(widths []int) int {
	sum := len(gap) * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// field is one line about a single object.
type field struct {
	name string
	text string
	tint tint
}

// writeFields prints names and values as two columns.
func writeFields(w io.Writer, l look, fields []field) error {
	var lines [][]cell
	for _, f := range fields {
		lines = append(lines, []cell{{text: f.name, tint: bold}, {text: orDash(printable(f.text)), tint: f.tint}})
	}
	return writeLines(w, l, lines)
}

func widthsOf(lines [][]cell) (widths []int) {
	for _, line := range lines {
		for i, c := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(c.text))
		}
	}
	return widths
}

func writeLines(w io.Writer, l look, lines [][]cell) error {
	widths := widthsOf(lines)
	for _, line := range lines {
		var b strings.Builder
		for i, c := range line {
			b.WriteString(pad(c, widths[i], i == len(line)-1, l.colour))
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
		return blanks + text + gap
	case last:
		return text
	}
	return text + blanks + gap
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
