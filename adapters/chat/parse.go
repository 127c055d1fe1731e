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
// fault whose message names the field. The body is aliased, unless it is in the
// form of before there were tools: then it is rewritten.
func (r *Request) Parse(body []byte) error {
	err := r.parse(body)
	if !errors.Is(err, errLegacy) {
		return err
	}
	if err := rawjson.Valid(body); err != nil {
		return syntax(err)
	}
	if body, err = modern(body); err != nil {
		return err
	}
	if err = r.parse(body); errors.Is(err, errLegacy) { // a key that is spelled with escapes
		return invalid("functions: not supported in this spelling; send tools and tool_choice")
	}
	return err
}

func (r *Request) parse(body []byte) error {
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
	name := key
	if bytes.IndexByte(key, '\\') >= 0 {
		name = rawjson.AppendUnescaped(nil, key) // "mod\u0065l" is model, too
	}
	p := ParamOf(name)
	if p != Other {
		key = name
	} else if folded := fold(name); ParamOf(folded) != Other {
		return invalid("%s: unknown field; did you mean %q? Field names are case-sensitive", clip(name), folded)
	}
	if p != Other && r.Sent.Has(p) {
		return invalid("%s: duplicate key", key)
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
	if p == Other && (string(name) == "functions" || string(name) == "function_call") {
		return errLegacy
	}
	if p != Other {
		r.params[p] = val
		r.Sent |= 1 << p
	}
	r.Fields = append(r.Fields, Field{p, key, val})
	return nil
}

// fold returns a key the way in which case-insensitive decoders read it: ASCII
// in lower case, and the two other letters that Unicode folds to ASCII as
// their ASCII letter. Upstreams disagree on which spelling they take.
func fold(key []byte) []byte {
	if bytes.IndexFunc(key, func(r rune) bool { return r >= 'A' && r <= 'Z' || r > 'z' }) < 0 {
		return key
	}
	return bytes.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == '\u017f': // the long s
			return 's'
		case r == '\u212a': // the Kelvin sign
			return 'k'
		}
		return r
	}, key)
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}

func syntax(err error) error {
	if se, ok := errors.AsType[*rawjson.SyntaxError](err); ok {
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
