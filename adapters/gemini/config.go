package gemini

import (
	"bytes"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// encodeConfig writes generationConfig, if there is anything to say.
func (a *Adapter) encodeConfig(r *chat.Request, call *codec.Call) {
	if a.top.names["generationConfig"] {
		return
	}
	call.Body = appendKey(call.Body, "generationConfig")
	start := len(call.Body)
	a.encodeLimit(r, call)
	for i := range r.Fields {
		switch f := &r.Fields[i]; {
		case !a.allowed(r, f.Param):
			call.Dropped |= chat.SetOf(f.Param)
		case f.Param == chat.ResponseFormat && a.besideTools(r):
			call.Dropped |= chat.SetOf(f.Param) // asked for in words, but not held to
		default:
			a.encodeParam(f, call)
		}
	}
	a.encodeThinking(r, call)
	call.Body = append(call.Body, a.config.raw...)
	if len(call.Body) == start {
		call.Body = call.Body[:start-len(`,"generationConfig":`)]
		return
	}
	call.Body[start] = '{' // in place of the first member's comma
	call.Body = append(call.Body, '}')
}

// allowed reports whether this endpoint's model takes a parameter that Google has.
func (a *Adapter) allowed(r *chat.Request, p chat.Param) bool {
	switch p {
	case chat.TopK, chat.FrequencyPenalty, chat.PresencePenalty, chat.Seed, chat.Logprobs:
		return a.settings.Params.Has(p)
	case chat.TopLogprobs: // refused unless logprobs are asked for
		return a.settings.Params.Has(p) && a.settings.Params.Has(chat.Logprobs) && string(r.Raw(chat.Logprobs)) == "true"
	case chat.ResponseFormat:
		return a.takesFormat(r)
	default:
		return true
	}
}

// takesFormat reports whether response_format can be met.
func (a *Adapter) takesFormat(r *chat.Request) bool {
	kind := string(chat.Member(r.Raw(chat.ResponseFormat), "type"))
	if kind == `"text"` {
		return true
	}
	return a.settings.Structured && (kind == `"json_object"` || kind == `"json_schema"`)
}

// besideTools reports whether response_format has to be said in words:
// generations before the third refuse it beside tools.
func (a *Adapter) besideTools(r *chat.Request) bool {
	return r.Sent.Has(chat.Tools) && a.settings.Tools && !a.family.since(30)
}

// formatText returns what the prompt says of the answer's form, nil for nothing.
func (a *Adapter) formatText(r *chat.Request) chat.Literal {
	format := r.Raw(chat.ResponseFormat)
	if format == nil || !a.takesFormat(r) || !a.besideTools(r) {
		return nil
	}
	switch string(chat.Member(format, "type")) {
	case `"json_schema"`:
		text := []byte(`"When you answer, answer with a JSON object that follows this JSON schema, and nothing else:\n`)
		return append(rawjson.AppendEscaped(text, schemaOf(format)), '"')
	case `"json_object"`:
		return chat.Literal(`"When you answer, answer with a JSON object and nothing else."`)
	}
	return nil
}

func (a *Adapter) encodeParam(f *chat.Field, call *codec.Call) {
	switch f.Param {
	case chat.Temperature:
		a.member(call, "temperature", f.Value)
	case chat.TopP:
		a.member(call, "topP", f.Value)
	case chat.TopK:
		if string(f.Value) != "0" { // 0 means no limit here and is refused there
			a.member(call, "topK", f.Value)
		}
	case chat.PresencePenalty:
		a.member(call, "presencePenalty", f.Value)
	case chat.FrequencyPenalty:
		a.member(call, "frequencyPenalty", f.Value)
	case chat.Seed:
		a.encodeSeed(call, f.Value)
	case chat.N:
		if string(f.Value) != "1" { // the default; some models refuse the member as such
			a.member(call, "candidateCount", f.Value)
		}
	case chat.Logprobs:
		a.member(call, "responseLogprobs", f.Value)
	case chat.TopLogprobs:
		a.member(call, "logprobs", f.Value)
	case chat.Stop:
		a.encodeStop(call, f.Value)
	case chat.ResponseFormat:
		a.encodeFormat(call, f.Value)
	case chat.Modalities:
		a.member(call, "responseModalities", bytes.ToUpper(f.Value))
	case chat.ImageConfig:
		a.encodeImage(call, f.Value)
	default: // said elsewhere, dropped, or not Google's to know
	}
}

// member writes one member, unless the operator has set it.
func (a *Adapter) member(call *codec.Call, key string, val []byte) {
	if !a.config.names[key] {
		call.Body = appendMember(call.Body, key, val)
	}
}

// encodeLimit writes the length limit once, clamped to what the model can give.
func (a *Adapter) encodeLimit(r *chat.Request, call *codec.Call) {
	if n := a.limit(r); r.MaxTokens > 0 {
		a.member(call, "maxOutputTokens", strconv.AppendInt(nil, n, 10))
	}
}

// limit returns how many tokens an answer may have, 0 if that is not known.
func (a *Adapter) limit(r *chat.Request) int64 {
	n := r.MaxTokens
	if most := a.settings.MaxOutput; most > 0 && (n == 0 || n > most) {
		n = most
	}
	return n
}

// encodeSeed folds a seed into the 32 bits that Google has for it.
func (a *Adapter) encodeSeed(call *codec.Call, val []byte) {
	if n, ok := rawjson.Int(val); ok {
		a.member(call, "seed", strconv.AppendInt(nil, int64(int32(n)), 10))
	}
}

// encodeStop writes the stop words that are not empty, at most the five that
// Google takes.
func (a *Adapter) encodeStop(call *codec.Call, val []byte) {
	const most = 5
	var list []byte
	n := 0
	add := func(word []byte) {
		if len(word) > 2 && n < most {
			list = append(append(list, ','), word...)
			n++
		}
	}
	if val[0] == '"' {
		add(val)
	}
	var c rawjson.Cursor
	c.Reset(val)
	for c.Array(); val[0] == '[' && c.Elem(); {
		add(c.Raw())
	}
	if n > 0 {
		list[0] = '['
		a.member(call, "stopSequences", append(list, ']'))
	}
}

// encodeFormat writes response_format.
func (a *Adapter) encodeFormat(call *codec.Call, val []byte) {
	kind := string(chat.Member(val, "type"))
	if kind == `"text"` {
		return
	}
	a.member(call, "responseMimeType", []byte(`"application/json"`))
	if kind != `"json_schema"` || a.config.names["responseJsonSchema"] {
		return
	}
	call.Body = appendSchema(appendKey(call.Body, "responseJsonSchema"), schemaOf(val))
}

// schemaOf returns the schema of a response_format, also in the short form.
func schemaOf(format []byte) []byte {
	if schema := chat.Member(chat.Member(format, "json_schema"), "schema"); len(schema) > 0 {
		return schema
	}
	return chat.Member(format, "schema")
}

// encodeImage writes OpenRouter's image_config under Google's names.
func (a *Adapter) encodeImage(call *codec.Call, val []byte) {
	var out []byte
	for _, m := range []struct{ from, to string }{{"aspect_ratio", "aspectRatio"}, {"image_size", "imageSize"}} {
		if raw := chat.Member(val, m.from); len(raw) > 0 && raw[0] == '"' {
			out = appendMember(out, m.to, raw)
		}
	}
	if len(out) > 0 {
		out[0] = '{'
		a.member(call, "imageConfig", append(out, '}'))
	}
}
