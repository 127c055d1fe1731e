package config

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	maxBodyDepth = 32
	maxBodyBytes = 64 << 10
)

// extraBody reads a mapping as a JSON object that is merged into each request;
// secrets get the members whose value is the variable of a secret.
func (v value) extraBody(into *json.RawMessage, secrets *map[string]string) {
	entries, ok := v.entries()
	if !ok {
		return
	}
	for _, e := range entries {
		switch e.name {
		case "model":
			e.key.problemf("is set by the gateway: the upstream's name for the model is provider_model_id")
		case "messages", "prompt", "input", "stream":
			e.key.problemf("comes from the client and cannot be overridden")
		}
	}
	var b bytes.Buffer
	entries = slices.DeleteFunc(entries, func(e entry) bool {
		name, ok := e.value.namedSecret()
		if ok {
			note(secrets, e.name, name)
		}
		return ok
	})
	v.writeObject(&b, entries, 0)
	if b.Len() > maxBodyBytes {
		v.problemf("must not exceed %d bytes, got %d", maxBodyBytes, b.Len())
		return
	}
	*into = b.Bytes()
}

func (v value) writeJSON(b *bytes.Buffer, depth int) {
	if depth > maxBodyDepth {
		v.problemf("must not be nested more than %d levels deep", maxBodyDepth)
		return
	}
	switch v.node.Kind {
	case yaml.MappingNode:
		if entries, ok := v.entries(); ok {
			v.writeObject(b, entries, depth)
		}
	case yaml.SequenceNode:
		v.writeArray(b, depth)
	case yaml.ScalarNode, yaml.DocumentNode, yaml.AliasNode:
		v.writeScalar(b)
	}
}

func (v value) writeObject(b *bytes.Buffer, entries []entry, depth int) {
	b.WriteByte('{')
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		writeString(b, e.name)
		b.WriteByte(':')
		e.value.writeJSON(b, depth+1)
	}
	b.WriteByte('}')
}

func (v value) writeArray(b *bytes.Buffer, depth int) {
	items, _ := v.items()
	b.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		item.writeJSON(b, depth+1)
	}
	b.WriteByte(']')
}

func (v value) writeScalar(b *bytes.Buffer) {
	if v.null() {
		b.WriteString("null")
		return
	}
	x, ok := v.expanded("JSON")
	if !ok {
		return
	}
	switch v.node.ShortTag() {
	case "!!bool":
		var on bool
		v.flag(&on)
		b.WriteString(map[bool]string{true: "true", false: "false"}[on])
	case "!!int", "!!float":
		v.writeNumber(b)
	default:
		writeString(b, x.text)
	}
}

// writeNumber keeps the digits of the file: a float would round large numbers
// and rewrite small ones.
func (v value) writeNumber(b *bytes.Buffer) {
	text := v.node.Value
	if n, ok := new(big.Int).SetString(text, 0); ok {
		b.WriteString(n.String())
		return
	}
	text = strings.TrimPrefix(text, "+")
	if text, ok := asJSONNumber(text); ok {
		b.WriteString(text)
		return
	}
	v.problemf("must be a number that JSON can represent, got %s", v.describe())
}

// asJSONNumber adds the digits that YAML lets one leave out around the point.
func asJSONNumber(text string) (string, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	if strings.HasPrefix(digits, ".") {
		digits = "0" + digits
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if fraction == "" || strings.HasPrefix(strings.ToLower(fraction), "e") {
		digits = whole + fraction
	}
	if negative {
		digits = "-" + digits
	}
	return digits, json.Valid([]byte(digits)) && decimalText.MatchString(digits)
}

func writeString(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)       // a string and a buffer: nothing can fail
	b.Truncate(b.Len() - 1) // the encoder's newline
}
