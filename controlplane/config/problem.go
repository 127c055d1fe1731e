package config

import (
	"fmt"
	"strings"
)

// Place is where something stands in a file. Line is 0 and Key is "" for the
// file as a whole.
type Place struct {
	File string
	// Line counts from 1.
	Line int
	// Key is the path of keys, such as models[2].route[0].
	Key string
}

// Problem returns a mistake at this place, for checks that go on with the
// typed values.
func (p Place) Problem(format string, args ...any) Problem {
	return Problem{File: p.File, Line: p.Line, Key: p.Key, Message: fmt.Sprintf(format, args...)}
}

func (p Place) warning(format string, args ...any) Warning {
	return Warning{File: p.File, Line: p.Line, Key: p.Key, Message: fmt.Sprintf(format, args...)}
}

// String is "file:line: key", without what is not known.
func (p Place) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	return b.String()
}

// Problem is one mistake that makes the file unusable.
type Problem struct {
	File    string
	Line    int
	Key     string
	Message string
}

// String is the line that operators read: file:line: key: message.
func (p Problem) String() string {
	return Place{p.File, p.Line, p.Key}.String() + ": " + p.Message
}

// Problems is every mistake of one run, in the order of the files.
type Problems []Problem

// Error is one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Warning is something that works, but perhaps not as the author thinks.
type Warning struct {
	File    string
	Line    int
	Key     string
	Message string
	// Unset are the variables whose absence took the endpoint or entry out of
	// service; empty for warnings of any other kind.
	Unset []string
}

// String is file:line: key: message.
func (w Warning) String() string {
	return Place{w.File, w.Line, w.Key}.String() + ": " + w.Message
}
