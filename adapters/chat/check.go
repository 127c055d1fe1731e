package chat

import (
	"math"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// check holds the known parameters to their types and ranges.
func (r *Request) check() error {
	for _, f := range r.Fields {
		if err := checkParam(f.Param, f.Value); err != nil {
			return err
		}
	}
	r.Model = rawjson.Text(r.params[Model])
	r.Messages = r.params[Messages]
	r.Stream = len(r.params[Stream]) > 0 && r.params[Stream][0] == 't'
	r.MaxTokens, _ = Whole(r.params[MaxCompletionTokens])
	if r.MaxTokens == 0 {
		r.MaxTokens, _ = Whole(r.params[MaxTokens])
	}
	if len(r.Messages) == 0 && r.params[Prompt] == nil {
		return invalid("messages: required")
	}
	return r.checkReasoning()
}

//nolint:exhaustive // a parameter without a rule is passed on as it is
func checkParam(p Param, val []byte) error {
	switch p {
	case Model, User, Route, Preset, ServiceTier, PromptCacheKey, Verbosity:
		return isString(p, val, 0)
	case SessionID:
		return isString(p, val, 256)
	case Stream, Logprobs, ParallelToolCalls, IncludeReasoning, StructuredOutputs:
		return isBool(p, val)
	case Temperature:
		return inRange(p, val, 0, 2)
	case TopP:
		return aboveZero(p, val, 1)
	case RepetitionPenalty:
		return aboveZero(p, val, 2)
	case MinP, TopA:
		return inRange(p, val, 0, 1)
	case FrequencyPenalty, PresencePenalty:
		return inRange(p, val, -2, 2)
	case MaxTokens, MaxCompletionTokens:
		return isInt(p, val, 1, 1<<31)
	case N:
		return isInt(p, val, 1, MaxChoices)
	case TopK:
		return isInt(p, val, 0, 1<<31)
	case TopLogprobs:
		return isInt(p, val, 0, 20)
	case Seed:
		return isInt(p, val, -1<<62, 1<<62)
	case Stop:
		return checkStop(val)
	case Messages:
		return isKind(p, val, rawjson.Array, "a non-empty array of messages")
	case Tools:
		return checkTools(val)
	case ToolChoice:
		return checkToolChoice(val)
	case ResponseFormat:
		return checkFormat(val)
	case Models, Transforms, Plugins, Modalities:
		return isKind(p, val, rawjson.Array, "an array")
	case StreamOptions, UsageOption, LogitBias, Reasoning, Thinking, Provider, Metadata, Trace, Prediction, Audio, Debug:
		return isKind(p, val, rawjson.Object, "an object")
	}
	return nil
}

func isKind(p Param, val []byte, kind byte, want string) error {
	if val[0] != kind {
		return invalid("%s: must be %s, got %s", p, want, describe(val))
	}
	return nil
}

func isBool(p Param, val []byte) error {
	if val[0] != 't' && val[0] != 'f' {
		return invalid("%s: must be true or false, got %s", p, describe(val))
	}
	return nil
}

func isString(p Param, val []byte, most int) error {
	if val[0] != '"' {
		return invalid("%s: must be a string, got %s", p, describe(val))
	}
	if most > 0 && len(val)-2 > most {
		return invalid("%s: must be at most %d characters long", p, most)
	}
	return nil
}

func inRange(p Param, val []byte, low, high float64) error {
	if f, ok := rawjson.Float(val); !ok || f < low || f > high {
		return invalid("%s: must be a number from %g to %g, got %s", p, low, high, describe(val))
	}
	return nil
}

func aboveZero(p Param, val []byte, high float64) error {
	if f, ok := rawjson.Float(val); !ok || f <= 0 || f > high {
		return invalid("%s: must be a number above 0 and at most %g, got %s", p, high, describe(val))
	}
	return nil
}

func isInt(p Param, val []byte, low, high int64) error {
	n, ok := Whole(val)
	switch {
	case !ok:
		return invalid("%s: must be an integer, got %s", p, describe(val))
	case n < low && low >= 0:
		return invalid("%s: must be at least %d, got %s", p, low, describe(val))
	case n < low || n > high:
		return invalid("%s: must be from %d to %d, got %s", p, low, high, describe(val))
	}
	return nil
}

// Whole returns the value of an integer; 5.0 and 5e0 are integers, too, as to
// every JSON client.
func Whole(raw []byte) (int64, bool) {
	if n, ok := rawjson.Int(raw); ok {
		return n, true
	}
	const most = 1 << 53 // beyond it a float is not exact
	f, ok := rawjson.Float(raw)
	if !ok || f < -most || f > most || f != math.Trunc(f) {
		return 0, false
	}
	return int64(f), true
}

func checkStop(val []byte) error {
	if val[0] == '"' {
		return nil
	}
	const want = "stop: must be a string or an array of at most 4 strings"
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Array() {
		return invalid("%s, got %s", want, describe(val))
	}
	n := 0
	for ; c.Elem(); n++ {
		if c.Str() == nil {
			return invalid("%s", want)
		}
	}
	if n > 4 {
		return invalid("%s, got %d", want, n)
	}
	return nil
}

func checkTools(val []byte) error {
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Array() {
		return invalid("tools: must be an array, got %s", describe(val))
	}
	for i := 0; c.Elem(); i++ {
		if c.Kind() != rawjson.Object {
			return invalid("tools[%d]: must be an object like {\"type\":\"function\",\"function\":{...}}, got %s", i, describe(c.Raw()))
		}
		if err := checkTool(&c, i); err != nil {
			return err
		}
	}
	return nil
}

func checkTool(c *rawjson.Cursor, i int) error {
	c.Object()
	var kind, function []byte
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "type":
			kind = c.Raw()
		case "function":
			function = c.Raw()
		default:
			c.Skip()
		}
	}
	if string(kind) != `"function"` {
		if len(kind) > 0 && kind[0] == '"' {
			return nil // a server tool: the upstream's business
		}
		return invalid("tools[%d].type: must be a string, normally \"function\"", i)
	}
	name := Member(function, "name")
	if len(rawjson.Inner(name)) == 0 {
		return invalid("tools[%d].function.name: required, a string", i)
	}
	if params := Member(function, "parameters"); !rawjson.IsNull(params) && params[0] != '{' {
		return invalid("tools[%d].function.parameters: must be a JSON schema object, got %s", i, describe(params))
	}
	return nil
}

func checkToolChoice(val []byte) error {
	switch val[0] {
	case '{':
		if kind := string(Member(val, "type")); kind == `"function"` && len(rawjson.Inner(Member(Member(val, "function"), "name"))) == 0 {
			return invalid("tool_choice.function.name: required, a string")
		} else if kind == "" {
			return invalid("tool_choice.type: required")
		}
		return nil
	case '"':
		switch string(val) {
		case `"none"`, `"auto"`, `"required"`, `"any"`:
			return nil
		}
	}
	return invalid("tool_choice: must be none, auto, required or {\"type\":\"function\",\"function\":{\"name\":...}}, got %s", describe(val))
}

func checkFormat(val []byte) error {
	if val[0] != '{' {
		return invalid("response_format: must be an object, got %s", describe(val))
	}
	switch kind := Member(val, "type"); string(kind) {
	case `"text"`, `"json_object"`, `"grammar"`, `"python"`:
		return nil
	case `"json_schema"`:
		schema := Member(Member(val, "json_schema"), "schema")
		if len(schema) == 0 {
			schema = Member(val, "schema") // the reference system's short form
		}
		if len(schema) == 0 || schema[0] != '{' {
			return invalid("response_format.json_schema.schema: required, an object")
		}
		return nil
	default:
		return invalid("response_format.type: must be text, json_object or json_schema, got %s", describe(kind))
	}
}

// Member returns the raw value of one member of the object in raw, nil if
// there is none or raw is not an object.
func Member(raw []byte, name string) []byte {
	var c rawjson.Cursor
	c.Reset(raw)
	if !c.Object() {
		return nil
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		if string(key) == name {
			return c.Raw()
		}
		c.Skip()
	}
	return nil
}

// describe names a value in an error message: short values themselves, long
// ones by their kind.
func describe(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	if len(raw) <= 40 && raw[0] != '{' && raw[0] != '[' {
		return string(raw)
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	}
	return "a number"
}
