package messages

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// request is a Messages request as raw members; nil means absent or null.
type request map[string][]byte

// read takes the body apart. Anything else than Anthropic's and OpenRouter's
// own members is passed over.
func read(body []byte) (request, error) {
	var c rawjson.Cursor
	c.Reset(body)
	if !c.Object() {
		return nil, invalid("The request body must be a JSON object")
	}
	m := request{}
	seen := map[string]bool{}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		name := string(key)
		if bytes.IndexByte(key, '\\') >= 0 {
			name = string(rawjson.AppendUnescaped(nil, key)) // "mod\u0065l" is model, too
		}
		if seen[name] {
			return nil, invalid("%s: duplicate key", name)
		}
		seen[name] = true
		if val := c.Raw(); !rawjson.IsNull(val) {
			m[name] = val
		}
	}
	if err := c.End(); err != nil {
		return nil, invalid("The request body is not valid JSON: %v", err)
	}
	if m["messages"] == nil {
		return nil, invalid("messages: required")
	}
	return m, nil
}

// canonical appends the chat completion request that says the same. What only
// Anthropic's own servers could do under a beta flag (containers, context
// editing, MCP) is left out. omitted names that, and what else is not said.
func (m request) canonical(dst []byte) (body []byte, omitted []string, err error) {
	w := &writer{Writer: canonical.NewWriter(dst)}
	if err := w.request(m); err != nil {
		return dst, nil, err
	}
	return append(w.Buf, '}'), api.Omitted(append(m.omitted(), w.omitted...)), nil
}

// outline appends a chat completion request with what the gateway itself has to
// know of a request that has no canonical form.
func (m request) outline(dst []byte) ([]byte, error) {
	w := &writer{Writer: canonical.NewWriter(dst)}
	for _, name := range []string{"model", "max_tokens", "stream", "models", "provider", "route", "session_id", "trace", "user"} {
		w.Copy(name, m[name])
	}
	if err := w.fallbacks(m); err != nil {
		return dst, err
	}
	w.Member("messages")
	w.Put(`[{"role":"user","content":""}]`)
	return append(w.Buf, '}'), nil
}

// passed lists the members that mean the same in a chat completion.
func passed() []string {
	return []string{
		"model", "max_tokens", "stream", "temperature", "top_p", "top_k", "thinking", "cache_control", "models", "provider", "plugins", "route", "session_id",
		"trace", "preset", "transforms",
	}
}

// handled lists the members that are translated.
func handled() []string {
	return []string{
		"messages", "system", "tools", "tool_choice", "stop_sequences", "metadata", "user", "service_tier", "output_config", "output_format", "fallbacks",
	}
}

// omitted names what the translation leaves out.
func (m request) omitted() (names []string) {
	known := append(passed(), handled()...)
	for name := range m {
		if !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	for tool := range rawjson.Elements(m["tools"]) {
		for _, name := range anthropicOnly() {
			if (kindOf(tool) == "" || kindOf(tool) == "custom") && !rawjson.IsNull(chat.Member(tool, name)) {
				names = append(names, "tools."+name)
			}
		}
	}
	if len(withoutBilling(m["system"])) != len(m["system"]) {
		names = append(names, "system.x-anthropic-billing-header")
	}
	return names
}

func (w *writer) request(m request) error {
	for _, name := range passed() {
		w.Copy(name, m[name])
	}
	for _, step := range []func(request) error{w.fallbacks, w.messages, w.tools, w.toolChoice, w.stop, w.user, w.tier, w.outputConfig} {
		if err := step(m); err != nil {
			return err
		}
	}
	return nil
}

// fallbacks turns OpenRouter's list of {model} into models.
func (w *writer) fallbacks(m request) error {
	raw := m["fallbacks"]
	if raw == nil {
		return nil
	}
	const want = "fallbacks: must be an array of at most 3 objects with a model only"
	if m["models"] != nil {
		return invalid("fallbacks: not taken together with models")
	}
	if raw[0] != '[' {
		return invalid(want)
	}
	w.Member("models")
	w.Put(`[`)
	n := 0
	for item := range rawjson.Elements(raw) {
		count := 0
		for range rawjson.Members(item) {
			count++
		}
		model := chat.Member(item, "model")
		if n++; n > 3 || count != 1 || !canonical.IsText(model) {
			return invalid(want)
		}
		w.Comma(n > 1)
		w.Raw(model)
	}
	w.Put(`]`)
	return nil
}

func (w *writer) stop(m request) error {
	raw := m["stop_sequences"]
	if raw == nil {
		return nil
	}
	n := 0
	for word := range rawjson.Elements(raw) {
		if n++; !canonical.IsText(word) {
			return invalid("stop_sequences[%d]: must be a string", n-1)
		}
	}
	if raw[0] != '[' || n > 4 {
		return invalid("stop_sequences: must be an array of at most 4 strings")
	}
	w.Copy("stop", raw)
	return nil
}

func (w *writer) user(m request) error {
	user := m["user"]
	if user == nil {
		user = chat.Member(m["metadata"], "user_id")
	}
	if !rawjson.IsNull(user) {
		w.Copy("user", user)
	}
	return nil
}

// session returns the conversation that Claude Code names inside of
// metadata.user_id, "" if there is none: {"session_id":...}, or at the end of a
// name behind _session_.
func (m request) session() string {
	id := rawjson.Text(chat.Member(m["metadata"], "user_id"))
	if strings.HasPrefix(id, "{") && rawjson.Valid([]byte(id)) == nil {
		return rawjson.Text(chat.Member([]byte(id), "session_id"))
	}
	_, session, _ := strings.Cut(id, "_session_")
	return session
}

// tier maps Anthropic's two words to OpenAI's.
func (w *writer) tier(m request) error {
	tier := m["service_tier"]
	if string(tier) == `"standard_only"` {
		tier = []byte(`"default"`)
	}
	w.Copy("service_tier", tier)
	return nil
}

// outputConfig turns output_config{effort, format} into reasoning_effort and
// response_format.
func (w *writer) outputConfig(m request) error {
	config, format := m["output_config"], m["output_format"]
	if effort := chat.Member(config, "effort"); !rawjson.IsNull(effort) {
		if kindOf(m["thinking"]) != "disabled" {
			w.Copy("reasoning_effort", effort)
		}
	}
	if own := chat.Member(config, "format"); !rawjson.IsNull(own) {
		format = own
	}
	if format == nil {
		return nil
	}
	schema := chat.Member(format, "schema")
	if string(chat.Member(format, "type")) != `"json_schema"` || len(schema) == 0 || schema[0] != '{' {
		return invalid(`output_config.format: must be {"type":"json_schema","schema":{...}}`)
	}
	w.Member("response_format")
	w.Put(`{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":`)
	w.Raw(schema)
	w.Put(`}}`)
	return nil
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}
