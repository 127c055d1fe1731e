// Package embed is the canonical form of embeddings between clients and
// providers: a request scanned once, and an answer whose vectors are turned
// into the encoding that the client asked for, whatever the provider sent.
package embed

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// MaxInputs bounds the texts of one request.
const MaxInputs = 4096

// Request is an embeddings request as the client sent it. Its spans alias the
// body, which must not change while the request is in use.
type Request struct {
	// Model is the requested id, "" if none was given.
	Model string
	// Input is the raw text, array of texts, or array of token ids (of one text
	// or of several); Count is how many texts that makes.
	Input []byte
	Count int
	// Base64 tells that the client wants packed vectors rather than numbers.
	Base64 bool
	// Dimensions is the wanted length of the vectors, 0 for the model's own.
	Dimensions int64
	// Fields are all members but the model, in the order of the body, without nulls.
	Fields []Field
}

// Field is one top-level member. Key is spelled as in the body, without
// quotes, and Value raw.
type Field struct{ Key, Value []byte }

// Parse scans a request into r, whose memory is used again. The error is an
// InvalidRequest fault whose message names the field.
func (r *Request) Parse(body []byte) error {
	*r = Request{Fields: r.Fields[:0]}
	var c rawjson.Cursor
	c.Reset(body)
	if !c.Object() {
		c.Skip()
		if err := c.End(); err != nil {
			return invalid("The request body is not valid JSON: %v", err)
		}
		return invalid("The request body must be a JSON object")
	}
	seen := map[string]bool{}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		if c.Err() != nil {
			break
		}
		name := string(rawjson.AppendUnescaped(nil, key))
		if err := r.member(name, val, seen); err != nil {
			return err
		}
		if name != "model" && !rawjson.IsNull(val) {
			r.Fields = append(r.Fields, Field{key, val})
		}
	}
	if err := c.End(); err != nil {
		return invalid("The request body is not valid JSON: %v", err)
	}
	if r.Input == nil {
		return invalid("input: required")
	}
	return nil
}

func (r *Request) member(name string, val []byte, seen map[string]bool) error {
	switch lower := string(bytes.ToLower([]byte(name))); lower {
	case "model", "input", "encoding_format", "dimensions":
		if lower != name {
			return invalid("%s: unknown field; did you mean %q? Field names are case-sensitive", name, lower)
		}
		if seen[name] {
			return invalid("%s: given more than once", name)
		}
		seen[name] = true
	}
	if rawjson.IsNull(val) {
		return nil
	}
	switch name {
	case "model":
		if val[0] != '"' {
			return invalid("model: must be a string")
		}
		r.Model = rawjson.Text(val)
	case "input":
		return r.input(val)
	case "encoding_format":
		if r.Base64 = string(val) == `"base64"`; !r.Base64 && string(val) != `"float"` {
			return invalid(`encoding_format: must be "float" or "base64"`)
		}
	case "dimensions":
		n, ok := chat.Whole(val)
		if !ok || n < 1 || n > 1<<20 {
			return invalid("dimensions: must be an integer of at least 1")
		}
		r.Dimensions = n
	}
	return nil
}

// input checks the shape of the input and counts its texts.
func (r *Request) input(val []byte) error {
	const want = "input: must be a string, or a non-empty array of strings, of token ids or of arrays of token ids"
	r.Input = val
	if val[0] == '"' {
		r.Count = 1
		return nil
	}
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Array() {
		return invalid("%s", want)
	}
	var kind byte
	n := 0
	for ; c.Elem(); n++ {
		k := c.Kind()
		if n == 0 {
			kind = k
		}
		raw := c.Raw()
		if k != kind || !element(k, raw) {
			return invalid("%s", want)
		}
	}
	if r.Count = n; kind == rawjson.Number {
		r.Count = 1
	}
	switch {
	case n == 0:
		return invalid("%s", want)
	case r.Count > MaxInputs:
		return invalid("input: must have at most %d texts, got %d", MaxInputs, r.Count)
	}
	return nil
}

func element(kind byte, raw []byte) bool {
	switch kind {
	case rawjson.String, rawjson.Number:
		return true
	case rawjson.Array:
		return tokens(raw)
	}
	return false
}

// tokens reports a non-empty array of whole numbers.
func tokens(raw []byte) bool {
	var c rawjson.Cursor
	c.Reset(raw)
	n := 0
	for c.Array(); c.Elem(); n++ {
		if _, ok := c.Int(); !ok {
			return false
		}
	}
	return n > 0
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}
