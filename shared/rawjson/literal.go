package rawjson

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// IsNull reports whether raw is absent or the literal null.
func IsNull(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }

// Inner returns the inside of a string literal, escapes untouched; nil if raw
// is not a string.
func Inner(raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' {
		return nil
	}
	return raw[1 : len(raw)-1]
}

// Int returns the value of a number that is written as an integer; 5.0 and
// 5e0 are not.
func Int(raw []byte) (int64, bool) {
	if len(raw) == 0 || len(raw) > 20 {
		return 0, false
	}
	neg := raw[0] == '-'
	if neg {
		raw = raw[1:]
	}
	var n uint64
	for _, ch := range raw {
		if ch < '0' || ch > '9' || n > (1<<63)/10 {
			return 0, false
		}
		n = n*10 + uint64(ch-'0')
	}
	if len(raw) == 0 || n > 1<<63-1 {
		return 0, false
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}

// Float returns the value of a number.
func Float(raw []byte) (float64, bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

// Unquote returns the text of a string literal: a slice of raw itself where
// it has no escapes, else appended to dst. A lone surrogate becomes U+FFFD.
// The literal must come from a Cursor, which has checked it.
func Unquote(dst, raw []byte) []byte {
	in := Inner(raw)
	if bytes.IndexByte(in, '\\') < 0 {
		return in
	}
	return AppendUnescaped(dst, in)
}

// AppendUnescaped appends the text of the inside of a string literal.
func AppendUnescaped(dst, in []byte) []byte {
	for {
		i := bytes.IndexByte(in, '\\')
		if i < 0 || i+1 >= len(in) {
			return append(dst, in...)
		}
		dst = append(dst, in[:i]...)
		in = in[i:]
		if in[1] != 'u' {
			dst = append(dst, unescape(in[1]))
			in = in[2:]
			continue
		}
		r := hex4(in[2:6])
		in = in[6:]
		if utf16.IsSurrogate(r) && len(in) >= 6 && in[0] == '\\' && in[1] == 'u' {
			if pair := utf16.DecodeRune(r, hex4(in[2:6])); pair != utf8.RuneError {
				r = pair
				in = in[6:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
}

func unescape(ch byte) byte {
	switch ch {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return ch
}

// Text returns the text of a string literal as a string of its own.
func Text(raw []byte) string { return string(Unquote(nil, raw)) }

// AppendString appends s as a string literal. Bytes that are not UTF-8 become
// U+FFFD, so that the result is always valid JSON.
func AppendString[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	dst = AppendEscaped(dst, s)
	return append(dst, '"')
}

// AppendEscaped appends the inside of the string literal for s.
func AppendEscaped[T ~string | ~[]byte](dst []byte, s T) []byte {
	start := 0
	for i := 0; i < len(s); {
		ch := s[i]
		if ch >= 0x20 && ch != '"' && ch != '\\' && ch < utf8.RuneSelf {
			i++
			continue
		}
		if ch >= utf8.RuneSelf {
			// four bytes hold any character; the conversion of so few does not allocate
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, ch)
		i++
		start = i
	}
	return append(dst, s[start:]...)
}

func appendEscape(dst []byte, ch byte) []byte {
	const hexDigits = "0123456789abcdef"
	switch {
	case ch == '"' || ch == '\\':
		return append(dst, '\\', ch)
	case ch == '\n':
		return append(dst, '\\', 'n')
	case ch == '\r':
		return append(dst, '\\', 'r')
	case ch == '\t':
		return append(dst, '\\', 't')
	case ch >= utf8.RuneSelf:
		return append(dst, "\\ufffd"...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[ch>>4], hexDigits[ch&15])
}
