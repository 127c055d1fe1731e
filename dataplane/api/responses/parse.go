package responses

import (
	"bytes"
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// request is a Responses request as raw members; a nil member is absent or
// null.
type request struct {
	members map[string][]byte
	tools   tools
	// dropped names what only a server that speaks Responses could do.
	dropped []string
}

// passed lists the members that mean the same in a chat completion.
func passed() []string {
	return []string{
		"model", "stream", "temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty", "seed", "parallel_tool_calls", "user", "metadata",
		"service_tier", "prompt_cache_key", "safety_identifier", "models", "provider", "plugins", "route", "session_id", "trace", "preset", "transforms",
		"modalities", "image_config", "debug",
	}
}

// handled lists the members that are translated, or that change nothing about
// an answer from a gateway that stores none.
func handled() []string {
	return []string{
		"input", "instructions", "tools", "tool_choice", "text", "reasoning", "max_output_tokens", "top_logprobs", "include", "store", "stream_options",
		"background", "truncation", "client_metadata", "previous_response_id", "conversation", "prompt", "max_tool_calls",
	}
}

// read takes the body apart.
func (r *request) read(body []byte) error {
	*r = request{members: map[string][]byte{}}
	var c rawjson.Cursor
	c.Reset(body)
	if !c.Object() {
		return invalid("The request body must be a JSON object")
	}
	seen := map[string]bool{}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		name := string(key)
		if bytes.IndexByte(key, '\\') >= 0 {
			name = string(rawjson.AppendUnescaped(nil, key)) // "mod\u0065l" is model, too
		}
		if seen[name] {
			return invalid("%s: duplicate key", name)
		}
		seen[name] = true
		if val := c.Raw(); !rawjson.IsNull(val) {
			r.members[name] = val
		}
	}
	if err := c.End(); err != nil {
		return invalid("The request body is not valid JSON: %v", err)
	}
	return r.check()
}

// check refuses what needs answers that are stored, and wrong types of members
// that carry another name in the canonical form.
func (r *request) check() error {
	m := r.members
	for _, name := range []string{"previous_response_id", "conversation", "prompt"} {
		if m[name] != nil {
			return invalid("%s: not supported: the gateway stores no responses; send the whole conversation as input", name)
		}
	}
	if string(m["background"]) == "true" {
		return invalid("background: not supported: the gateway stores no responses; use stream instead")
	}
	if raw := m["max_output_tokens"]; raw != nil {
		if n, ok := rawjson.Int(raw); !ok || n < 1 || n > 1<<31 {
			return invalid("max_output_tokens: must be a positive integer")
		}
	}
	for _, name := range []string{"store", "background"} {
		if raw := m[name]; raw != nil && string(raw) != "true" && string(raw) != "false" {
			return invalid("%s: must be true or false", name)
		}
	}
	for _, name := range []string{"text", "reasoning", "stream_options", "client_metadata"} {
		if raw := m[name]; raw != nil && raw[0] != '{' {
			return invalid("%s: must be an object", name)
		}
	}
	for _, name := range []string{"tools", "include"} {
		if raw := m[name]; raw != nil && raw[0] != '[' {
			return invalid("%s: must be an array", name)
		}
	}
	switch raw := m["truncation"]; string(raw) {
	case "", `"auto"`, `"disabled"`:
	default:
		return invalid(`truncation: must be "auto" or "disabled"`)
	}
	if m["input"] == nil {
		return invalid("input: required")
	}
	return nil
}

// canonical appends the chat completion request that says the same.
func (r *request) canonical(dst []byte) ([]byte, error) {
	w := &writer{canonical.NewWriter(dst)}
	m := r.members
	for _, name := range passed() {
		w.Copy(name, m[name])
	}
	w.Copy("max_completion_tokens", m["max_output_tokens"])
	if err := r.tools.read(m["tools"]); err != nil {
		return dst, err
	}
	for _, step := range []func(*writer) error{r.conversation, r.toolList, r.format, r.reasoning, r.logprobs} {
		if err := step(w); err != nil {
			return dst, err
		}
	}
	r.noteDropped()
	return append(w.Buf, '}'), nil
}

// noteDropped adds the members that have no meaning outside of Responses.
func (r *request) noteDropped() {
	r.dropped = append(r.dropped, r.tools.dropped...)
	known := append(passed(), handled()...)
	for name := range r.members {
		if !slices.Contains(known, name) {
			r.dropped = append(r.dropped, name)
		}
	}
	if r.members["max_tool_calls"] != nil { // counts calls of hosted tools
		r.dropped = append(r.dropped, "max_tool_calls")
	}
	r.dropped = api.Omitted(r.dropped)
}

// format writes text.format as response_format and text.verbosity as verbosity.
func (r *request) format(w *writer) error {
	text := r.members["text"]
	if verbosity := chat.Member(text, "verbosity"); !rawjson.IsNull(verbosity) {
		w.Copy("verbosity", verbosity)
	}
	format := chat.Member(text, "format")
	switch kindOf(format) {
	case "":
		if !rawjson.IsNull(format) {
			return invalid(`text.format: must be an object whose type is "text", "json_object" or "json_schema"`)
		}
	case "text":
	case "json_object":
		w.Copy("response_format", []byte(`{"type":"json_object"}`))
	case "json_schema":
		name, schema := chat.Member(format, "name"), chat.Member(format, "schema")
		if !canonical.IsText(name) {
			return invalid("text.format.name: required, a string")
		}
		if rawjson.IsNull(schema) || schema[0] != '{' {
			return invalid("text.format.schema: required, a JSON schema object")
		}
		w.Member("response_format")
		w.Put(`{"type":"json_schema","json_schema":{"name":`)
		w.Raw(name)
		for _, own := range []string{"description", "schema", "strict"} {
			w.Sibling(own, chat.Member(format, own))
		}
		w.Put(`}}`)
	default:
		return invalid(`text.format.type: must be "text", "json_object" or "json_schema"`)
	}
	return nil
}

// reasoning writes the effort. A summary of what was thought is always shown
// where the upstream gives one.
func (r *request) reasoning(w *writer) error {
	given := r.members["reasoning"]
	if given == nil {
		return nil
	}
	w.Member("reasoning")
	w.Put(`{`)
	first := true
	for _, own := range []string{"effort", "summary", "max_tokens", "enabled", "exclude"} {
		val := chat.Member(given, own)
		if rawjson.IsNull(val) {
			continue
		}
		w.Comma(!first)
		first = false
		w.Put(`"` + own + `":`)
		w.Raw(val)
	}
	w.Put(`}`)
	return nil
}

// logprobs asks for probabilities in the chat API's two members.
func (r *request) logprobs(w *writer) error {
	n := r.members["top_logprobs"]
	wanted := n != nil
	for item := range rawjson.Elements(r.members["include"]) {
		wanted = wanted || string(item) == `"message.output_text.logprobs"`
	}
	if wanted {
		w.Copy("logprobs", []byte("true"))
		w.Copy("top_logprobs", n)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}
