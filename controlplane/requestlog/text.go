package requestlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// Limits in bytes of what clients and upstreams can make as long as they like.
// Longer text is cut: an event must not be refused, and accounting lost,
// because someone sent a long model name. PostgreSQL cannot index more than
// 2700 bytes.
const (
	maxName  = 512
	maxAgent = 1024
	maxError = 8192
)

// cleanText cuts s to limit and replaces what one of the databases cannot
// hold: NUL and invalid UTF-8.
func cleanText(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\ufffd")
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// cleanJSON checks raw and returns it in a form that every database takes:
// PostgreSQL's jsonb refuses escaped NULs and lone surrogates, SQLite deep
// nesting. Nothing and null are nil.
func cleanJSON(raw []byte) ([]byte, error) {
	raw = bytes.TrimSpace(raw)
	if rawjson.IsNull(raw) {
		return nil, nil
	}
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\ufffd"))
	}
	if err := rawjson.Valid(raw); err != nil {
		return nil, err
	}
	if !bytes.Contains(raw, []byte(`\u`)) {
		return raw, nil
	}
	return reencode(raw)
}

// reencode writes raw anew; decoding has replaced lone surrogates.
func reencode(raw []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	out, err := json.Marshal(withoutNUL(v))
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return out, nil
}

func withoutNUL(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "\ufffd")
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
		return v
	case map[string]any:
		clean := make(map[string]any, len(v))
		for k, member := range v {
			clean[strings.ReplaceAll(k, "\x00", "\ufffd")] = withoutNUL(member)
		}
		return clean
	}
	return v
}
