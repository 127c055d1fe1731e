// Package rawjson reads JSON as spans of the bytes it came in, in one pass and
// without allocating. A request body or a provider's chunk is mostly passed
// on, not computed with: text stays the string literal it was, so it is
// neither unescaped nor escaped again on its way through the gateway.
//
// Everything the cursor steps over is checked: a span that it returns is a
// well-formed JSON value in valid UTF-8 and may be copied into other JSON.
package rawjson

import (
	"errors"
	"fmt"
)

// MaxDepth bounds nesting. A body that is nested deeper is refused rather
// than followed: recursion must not be steered by a client.
const MaxDepth = 512

// SyntaxError says at which byte a document stopped being JSON.
type SyntaxError struct {
	Offset int
	Msg    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Msg)
}

// ErrDepth is wrapped by the error for a document nested deeper than MaxDepth.
var ErrDepth = errors.New("nested too deeply")

// Kinds that Cursor.Kind returns.
const (
	Invalid byte = 0
	Object  byte = '{'
	Array   byte = '['
	String  byte = '"'
	Number  byte = '0'
	True    byte = 't'
	False   byte = 'f'
	Null    byte = 'n'
)

// Cursor walks a document from left to right. The zero value with its bytes
// set by Reset is ready. After the first fault every method reports the end
// and Err holds the reason, so loops need no check of their own.
type Cursor struct {
	b     []byte
	i     int
	comma bool // the next member or element must be preceded by a comma
	err   error
}

// Reset points the cursor at the start of b, which it aliases and never writes.
func (c *Cursor) Reset(b []byte) { *c = Cursor{b: b} }

// Err returns the first syntax error met, or nil.
func (c *Cursor) Err() error { return c.err }

// Offset is the position of the next unread byte.
func (c *Cursor) Offset() int { return c.i }

// Kind returns the kind of the next value without consuming it.
func (c *Cursor) Kind() byte {
	c.space()
	if c.err != nil || c.i >= len(c.b) {
		return Invalid
	}
	switch ch := c.b[c.i]; {
	case ch == '{', ch == '[', ch == '"', ch == 't', ch == 'f', ch == 'n':
		return ch
	case ch == '-' || ch >= '0' && ch <= '9':
		return Number
	}
	return Invalid
}

// Object consumes the opening brace. It reports false, without an error, when
// the next value is something else.
func (c *Cursor) Object() bool { return c.open(Object) }

// Array consumes the opening bracket, like Object.
func (c *Cursor) Array() bool { return c.open(Array) }

func (c *Cursor) open(kind byte) bool {
	if c.Kind() != kind {
		return false
	}
	c.i++
	c.comma = false
	return true
}

// Key returns the next member's key without its quotes, or false after the
// closing brace. The member's value must be consumed before the next call.
// Escapes are left as they are: see Unquote.
func (c *Cursor) Key() ([]byte, bool) {
	if !c.more('}') {
		return nil, false
	}
	start := c.i
	if c.i >= len(c.b) || c.b[c.i] != '"' {
		c.fail("expected a member name in double quotes")
		return nil, false
	}
	if c.i = c.str(c.i); c.err != nil {
		return nil, false
	}
	key := c.b[start+1 : c.i-1]
	c.space()
	if c.i >= len(c.b) || c.b[c.i] != ':' {
		c.fail("expected ':' after a member name")
		return nil, false
	}
	c.i++
	return key, true
}

// Elem reports whether the array has another element, which must be consumed
// before the next call, or consumes the closing bracket.
func (c *Cursor) Elem() bool { return c.more(']') }

// more steps over the separator in front of the next member, or over the closing byte.
func (c *Cursor) more(closing byte) bool {
	c.space()
	if c.err != nil {
		return false
	}
	if c.i >= len(c.b) {
		c.fail("unexpected end")
		return false
	}
	switch ch := c.b[c.i]; {
	case ch == closing:
		c.i++
		c.comma = true
		return false
	case c.comma:
		if ch != ',' {
			c.fail("expected ',' or the closing bracket")
			return false
		}
		c.i++
		c.space()
		c.comma = false
	}
	return true
}

// Raw consumes one value of any kind and returns its span; nil after a fault.
func (c *Cursor) Raw() []byte {
	c.space()
	if c.err != nil {
		return nil
	}
	start := c.i
	c.value(0)
	if c.err != nil {
		return nil
	}
	c.comma = true
	return c.b[start:c.i]
}

// Str consumes a string and returns its literal with quotes; nil, after
// consuming it, if the value is not a string.
func (c *Cursor) Str() []byte {
	raw := c.Raw()
	if len(raw) == 0 || raw[0] != '"' {
		return nil
	}
	return raw
}

// Skip consumes one value.
func (c *Cursor) Skip() { c.Raw() }

// Int consumes a number and returns its integer value. Anything that is not
// an integer in the range of int64 gives false.
func (c *Cursor) Int() (int64, bool) { return Int(c.Raw()) }

// End checks that nothing but white space follows.
func (c *Cursor) End() error {
	c.space()
	if c.err == nil && c.i < len(c.b) {
		c.fail("unexpected data after the value")
	}
	return c.err
}

func (c *Cursor) fail(msg string) {
	if c.err == nil {
		c.err = &SyntaxError{Offset: c.i, Msg: msg}
	}
}

func (c *Cursor) space() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\t', '\n', '\r':
			c.i++
		default:
			return
		}
	}
}

// Valid checks that b is one JSON value.
func Valid(b []byte) error {
	var c Cursor
	c.Reset(b)
	c.Skip()
	return c.End()
}
