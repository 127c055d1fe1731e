package openai

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// formatText returns what the prompt has to say about the form of the answer,
// the inside of a literal, where the server holds to JSON but to no schema; nil
// for nothing. Such servers refuse JSON mode unless the prompt mentions JSON.
func (a *Adapter) formatText(r *chat.Request) []byte {
	format := r.Raw(chat.ResponseFormat)
	if format == nil || a.traits.Schema != "json_object" || !a.settings.Structured || a.override["response_format"] {
		return nil
	}
	switch string(chat.Member(format, "type")) {
	case `"json_object"`:
		if !speaksOfJSON(r.Messages) {
			return []byte(`Answer with a JSON object and nothing else.`)
		}
	case `"json_schema"`:
		schema := chat.Member(chat.Member(format, "json_schema"), "schema")
		if len(schema) == 0 {
			schema = chat.Member(format, "schema")
		}
		if len(schema) > 0 {
			return rawjson.AppendEscaped([]byte(`Answer with a JSON object that follows this JSON schema, and nothing else:\n`), schema)
		}
		return []byte(`Answer with a JSON object and nothing else.`)
	}
	return nil
}

// speaksOfJSON looks for the word in any case.
func speaksOfJSON(messages []byte) bool {
	for i := 0; i+4 <= len(messages); i++ {
		if at := bytes.IndexAny(messages[i:], "jJ"); at < 0 {
			return false
		} else if i += at; i+4 <= len(messages) && bytes.EqualFold(messages[i:i+4], []byte("json")) {
			return true
		}
	}
	return false
}
