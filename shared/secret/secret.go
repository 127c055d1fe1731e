// Package secret keeps keys and passwords out of logs, errors and dumps.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// String is text that must not be shown. However it is printed, logged or
// marshalled it reads "[redacted]"; Reveal returns the text itself. The zero
// value is empty.
type String struct {
	// a pointer, since fmt prints unexported fields of other packages' structs
	// without asking this type
	text *string
}

// New wraps text.
func New(text string) String { return String{&text} }

// Reveal returns the text. Its call sites are the places to review.
func (s String) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s String) Empty() bool { return s.Reveal() == "" }

// String implements fmt.Stringer.
func (s String) String() string { return redacted }

// Format implements fmt.Formatter for every verb.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (s String) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which JSON and YAML use.
func (s String) MarshalText() ([]byte, error) { return []byte(redacted), nil }
