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
	if tools := r.params[Tools]; tools != nil {
		if err := r.checkTools(tools); err != nil {
			return err
		}
	}
	r.Model = rawjson.Text(r.params[Model])
	r.Messages = r.params[Messages]
	r.Stream = len(r.params[Stream]) > 0 && r.params[Stream][0] == 't'
	r.MaxTokens, _ = Integer(r.params[MaxCompletionTokens])
	if r.MaxTokens == 0 {
		r.MaxTokens, _ = Integer(r.params[MaxTokens])
	}
	if len(r.Messages) == 0 && r.params[Prompt] == nil {
		return invalid("messages: required")
	}
	return r.checkReasoning()
}

//nolint:exhaustive // a parameter without a rule is passed on as it is
func checkParam(p Param, val []byte) error {
	switch p {
	case Model, User, Preset, PromptCacheKey:
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
	case ToolChoice:
		return checkToolChoice(val)
	case ResponseFormat:
		return checkFormat(val)
	}
	return checkExtension(p, val)
}

// checkExtension covers what OpenRouter and newer APIs added.
//
//nolint:exhaustive // a parameter without a rule is passed on as it is
func checkExtension(p Param, val []byte) error {
	switch p {
	case Models:
		return checkModels(val)
	case Route:
		return isOneOf(p, val, "fallback", "sort")
	case ServiceTier:
		return isOneOf(p, val, "auto", "default", "fast", "flex", "priority", "scale")
	case Verbosity:
		return isOneOf(p, val, "low", "medium", "high", "xhigh", "max")
	case Modalities:
		return checkModalities(val)
	case Transforms:
		return checkTransforms(val)
	case Plugins:
		return checkPlugins(val)
	case Metadata:
		return checkMetadata(val)
	case LogitBias:
		return checkLogitBias(val)
	case Prediction:
		return checkPrediction(val)
	case CacheControl:
		return checkCacheControl(val)
	case StreamOptions:
		return isObject(p, val, member{"include_usage", rawjson.True})
	case UsageOption:
		return isObject(p, val, member{"include", rawjson.True})
	case Debug:
		return isObject(p, val, member{"echo_upstream_body", rawjson.True})
	case Trace:
		return isObject(p, val, member{"trace_id", rawjson.String}, member{"trace_name", rawjson.String}, member{"span_name", rawjson.String},
			member{"generation_name", rawjson.String}, member{"parent_span_id", rawjson.String})
	case Reasoning, Thinking, Provider, Audio, ImageConfig, WebSearchOptions:
		return isObject(p, val)
	case StopServerToolsWhen:
		return isKind(p, val, rawjson.Array, "an array")
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
	if most > 0 && len(val)-2 > most && characters(val) > most {
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
	n, ok := Integer(val)
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

// Integer returns the value of an integer; 5.0 and 5e0 are integers, too, as to
// every JSON client.
func Integer(raw []byte) (int64, bool) {
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

func (r *Request) checkTools(val []byte) error {
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Array() {
		return invalid("tools: must be an array, got %s", describe(val))
	}
	for i := 0; c.Elem(); i++ {
		if c.Kind() != rawjson.Object {
			return invalid("tools[%d]: must be an object like {\"type\":\"function\",\"function\":{...}}, got %s", i, describe(c.Raw()))
		}
		if err := r.checkTool(&c, i); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) checkTool(c *rawjson.Cursor, i int) error {
	c.Object()
	var kind, function []byte
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "type":
			kind = c.Raw()
		case "function":
			function = c.Raw()
		case "cache_control":
			c.Skip()
		default:
			r.Has |= HasForeignTool
			c.Skip()
		}
	}
	if string(kind) != `"function"` {
		r.Has |= HasForeignTool
		if len(kind) > 0 && kind[0] == '"' {
			return nil // a server tool: the upstream's business
		}
		return invalid("tools[%d].type: must be a string, normally \"function\"", i)
	}
	return checkFunction(function, i)
}

// checkFunction looks at each member once: schemas are long.
func checkFunction(function []byte, i int) error {
	wrong := func(name, want string, got []byte) error {
		return invalid("tools[%d].function.%s: must be %s, got %s", i, name, want, describe(got))
	}
	var c rawjson.Cursor
	c.Reset(function)
	named := false
	c.Object()
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		if rawjson.IsNull(val) {
			continue
		}
		switch string(key) {
		case "name":
			if named = len(rawjson.Inner(val)) > 0; named && !validName(val) {
				return wrong("name", "at most 64 of a-z, A-Z, 0-9, _ and -", val)
			}
		case "parameters":
			if val[0] != rawjson.Object {
				return wrong("parameters", "a JSON schema object", val)
			}
		case "description":
			if val[0] != rawjson.String {
				return wrong("description", "a string", val)
			}
		case "strict":
			if val[0] != rawjson.True && val[0] != rawjson.False {
				return wrong("strict", "true or false", val)
			}
		}
	}
	if !named {
		return invalid("tools[%d].function.name: required, a string", i)
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
	case `"text"`, `"json_object"`, `"python"`:
		return nil
	case `"grammar"`:
		if grammar := Member(val, "grammar"); len(rawjson.Inner(grammar)) == 0 {
			return invalid("response_format.grammar: required, a string")
		}
		return nil
	case `"json_schema"`:
		return checkSchema(val)
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
