package chat

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Reset prepares r for another body, keeping its memory.
func (r *Request) Reset() {
	fields := r.Fields[:0]
	*r = Request{Fields: fields}
}

// Parse scans a chat completion request into r. The error is an InvalidRequest
// fault whose message names the field. The body is aliased.
func (r *Request) Parse(body []byte) error {
	r.Reset()
	r.Body = body
	var c rawjson.Cursor
	c.Reset(body)
	if !c.Object() {
		c.Skip()
		if err := c.End(); err != nil {
			return syntax(err)
		}
		return invalid("The request body must be a JSON object")
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		if err := r.field(&c, key); err != nil {
			return err
		}
	}
	if err := c.End(); err != nil {
		return syntax(err)
	}
	return r.check()
}

// field takes in one member, whose value the cursor is at.
func (r *Request) field(c *rawjson.Cursor, key []byte) error {
	if bytes.IndexByte(key, '\\') >= 0 {
		key = rawjson.AppendUnescaped(nil, key) // "mod\u0065l" is model, too
	}
	p := ParamOf(key)
	if p == Other && caseVariant(key) {
		return invalid("%s: unknown field; did you mean %q? Field names are case-sensitive", clip(key), lower(key))
	}
	if p != Other && r.Sent.Has(p) {
		return invalid("%s: given more than once", key)
	}
	var val []byte
	if p == Messages && c.Kind() == rawjson.Array {
		var err error
		if val, err = r.scanMessages(c); err != nil {
			return err
		}
	} else {
		val = c.Raw()
	}
	if c.Err() != nil {
		return syntax(c.Err())
	}
	if rawjson.IsNull(val) {
		return nil
	}
	if p != Other {
		r.params[p] = val
		r.Sent |= 1 << p
	}
	r.Fields = append(r.Fields, Field{p, key, val})
	return nil
}

// caseVariant reports whether an unknown key differs from a control key only
// in case: upstreams disagree on which of the two they take.
func caseVariant(key []byte) bool {
	for _, ch := range key {
		if ch >= 'A' && ch <= 'Z' {
			return ParamOf(lower(key)) != Other
		}
	}
	return false
}

func lower(key []byte) []byte {
	out := make([]byte, len(key))
	for i, ch := range key {
		if ch >= 'A' && ch <= 'Z' {
			ch += 'a' - 'A'
		}
		out[i] = ch
	}
	return out
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}

func syntax(err error) error {
	var se *rawjson.SyntaxError
	if errors.As(err, &se) {
		return invalid("The request body is not valid JSON: %s at byte %s", se.Msg, strconv.Itoa(se.Offset))
	}
	return invalid("The request body is not valid JSON: %s", err.Error())
}

// clip shortens a piece of client input for an error message.
func clip(b []byte) string {
	const most = 80
	if len(b) > most {
		return string(b[:most]) + "..."
	}
	return string(b)
}
