package rawjson

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// value steps over one value at c.i, whose white space has been skipped.
func (c *Cursor) value(depth int) {
	if depth > MaxDepth {
		c.err = ErrDepth
		return
	}
	if c.i >= len(c.b) {
		c.fail("unexpected end")
		return
	}
	switch ch := c.b[c.i]; {
	case ch == '"':
		c.i = c.str(c.i)
	case ch == '{':
		c.members(depth)
	case ch == '[':
		c.elements(depth)
	case ch == '-' || ch >= '0' && ch <= '9':
		c.number()
	case ch == 't':
		c.word("true")
	case ch == 'f':
		c.word("false")
	case ch == 'n':
		c.word("null")
	default:
		c.fail("expected a value")
	}
}

func (c *Cursor) members(depth int) {
	c.open(Object)
	for {
		if _, ok := c.Key(); !ok {
			return
		}
		c.space()
		c.value(depth + 1)
		c.comma = true
	}
}

func (c *Cursor) elements(depth int) {
	c.open(Array)
	for c.more(']') {
		c.value(depth + 1)
		c.comma = true
	}
}

func (c *Cursor) word(w string) {
	if len(c.b)-c.i < len(w) || string(c.b[c.i:c.i+len(w)]) != w {
		c.fail("expected a value")
		return
	}
	c.i += len(w)
}

func (c *Cursor) digits() bool {
	start := c.i
	for c.i < len(c.b) && c.b[c.i] >= '0' && c.b[c.i] <= '9' {
		c.i++
	}
	return c.i > start
}

func (c *Cursor) at(ch byte) bool { return c.i < len(c.b) && c.b[c.i] == ch }

func (c *Cursor) number() {
	if c.at('-') {
		c.i++
	}
	zero := c.at('0')
	start := c.i
	if !c.digits() || zero && c.i-start > 1 {
		c.fail("malformed number")
		return
	}
	if c.at('.') {
		c.i++
		if !c.digits() {
			c.fail("malformed number")
			return
		}
	}
	if c.at('e') || c.at('E') {
		c.i++
		if c.at('+') || c.at('-') {
			c.i++
		}
		if !c.digits() {
			c.fail("malformed number")
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, in the top bit of each byte of w, the bytes that end the
// plain run of a string: a quote, a backslash or a control character. Bytes
// of multi-byte characters are plain here. The lowest mark is always exact;
// one above it may be false, because a borrow can run upwards.
func special(w uint64) uint64 { return looks(w) & ^w & highs }

// looks is special with more in it: bytes of multi-byte characters may be marked, too.
func looks(w uint64) uint64 {
	quote := w ^ (ones * '"')
	slash := w ^ (ones * '\\')
	return (w - ones*0x20) | (quote - ones) | (slash - ones)
}

// unremarkable steps over blocks of 32 bytes without anything special, which is all
// of a long prompt but its last bytes. It returns all that it saw, mixed.
func unremarkable(b []byte) (n int, mixed uint64) {
	for ; n+32 <= len(b); n += 32 {
		p := b[n : n+32 : n+32]
		w0, w1 := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
		w2, w3 := binary.LittleEndian.Uint64(p[16:]), binary.LittleEndian.Uint64(p[24:])
		// Bytes from 0x80 on look special to the quick look, which is twice as fast.
		quick := looks(w0) | looks(w1) | looks(w2) | looks(w3)
		if quick&highs != 0 && special(w0)|special(w1)|special(w2)|special(w3) != 0 {
			break
		}
		mixed |= w0 | w1 | w2 | w3
	}
	return n, mixed
}

// str returns the end of the string literal whose opening quote is at i.
func (c *Cursor) str(i int) int {
	b := c.b
	start := i + 1
	high := uint64(0)
	for i = start; ; {
		n, mixed := unremarkable(b[i:])
		i, high = i+n, high|mixed
		for ; i+8 <= len(b); i += 8 {
			w := binary.LittleEndian.Uint64(b[i:])
			high |= w
			if m := special(w); m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
		}
		if i >= len(b) {
			break
		}
		switch ch := b[i]; {
		case ch == '"':
			if high&highs != 0 && !utf8.Valid(b[start:i]) {
				c.i = start
				c.fail("string is not valid UTF-8")
			}
			return i + 1
		case ch == '\\':
			n := escape(b[i:])
			if n == 0 {
				c.i = i
				c.fail("malformed escape in a string")
				return i
			}
			i += n
		case ch < 0x20:
			c.i = i
			c.fail("control character in a string")
			return i
		default:
			high |= uint64(ch)
			i++
		}
	}
	c.i = len(b)
	c.fail("unterminated string")
	return len(b)
}

// escape returns the length of the escape sequence at the start of b, 0 if it is malformed.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && hex4(b[2:6]) >= 0 {
			return 6
		}
	}
	return 0
}

func hex4(b []byte) rune {
	var r rune
	for _, ch := range b[:4] {
		switch {
		case ch >= '0' && ch <= '9':
			ch -= '0'
		case ch >= 'a' && ch <= 'f':
			ch -= 'a' - 10
		case ch >= 'A' && ch <= 'F':
			ch -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(ch)
	}
	return r
}
