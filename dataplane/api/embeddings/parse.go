package embeddings

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Parse implements api.Translator.
func (t *translator) Parse(body []byte, _ api.Header) error {
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
		if err := checkName(name, seen); err != nil {
			return err
		}
		if rawjson.IsNull(val) {
			continue
		}
		if err := t.member(name, key, val); err != nil {
			return err
		}
	}
	if err := c.End(); err != nil {
		return invalid("The request body is not valid JSON: %v", err)
	}
	if t.call.Input == nil {
		return invalid("input: required")
	}
	return nil
}

// checkName refuses what upstreams would read in different ways.
func checkName(name string, seen map[string]bool) error {
	switch lower := string(bytes.ToLower([]byte(name))); lower {
	case "model", "input", "encoding_format", "dimensions", "provider":
		if lower != name {
			return invalid("%s: unknown field; did you mean %q? Field names are case-sensitive", name, lower)
		}
		if seen[name] {
			return invalid("%s: duplicate key", name)
		}
		seen[name] = true
	}
	return nil
}

// member takes in one member. What concerns the gateway alone is kept from the
// provider.
func (t *translator) member(name string, key, val []byte) error {
	switch name {
	case "model":
		if val[0] != '"' {
			return invalid("model: must be a string")
		}
		t.req.Model = rawjson.Text(val)
		return nil
	case "provider":
		if val[0] != rawjson.Object {
			return invalid("provider: must be an object")
		}
		t.req.Set(chat.Provider, val)
		return nil
	case "input":
		if err := t.input(val); err != nil {
			return err
		}
	case "encoding_format":
		if t.call.Base64 = string(val) == `"base64"`; !t.call.Base64 && string(val) != `"float"` {
			return invalid(`encoding_format: must be "float" or "base64"`)
		}
	case "dimensions":
		n, ok := chat.Integer(val)
		if !ok || n < 1 || n > 1<<20 {
			return invalid("dimensions: must be an integer of at least 1")
		}
		t.call.Dimensions = n
	}
	t.call.Fields = append(t.call.Fields, codec.EmbeddingField{Key: key, Value: val})
	return nil
}

// input checks the shape of the input and counts its texts.
func (t *translator) input(val []byte) error {
	const want = "input: must be a string, or a non-empty array of strings, of token ids or of arrays of token ids"
	t.call.Input, t.req.Messages = val, val
	if val[0] == '"' {
		t.call.Count = 1
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
	if t.call.Count = n; kind == rawjson.Number {
		t.call.Count = 1
	}
	switch {
	case n == 0:
		return invalid("%s", want)
	case t.call.Count > codec.MaxEmbeddingInputs:
		return invalid("input: must have at most %d texts, got %d", codec.MaxEmbeddingInputs, t.call.Count)
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

// tokens reports a non-empty array of integers.
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
