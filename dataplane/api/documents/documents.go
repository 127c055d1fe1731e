// Package documents has the client languages that ask with one JSON document
// and are answered with one, both passed on as they are: rerank, in the shape
// of Cohere and Jina, and OpenAI's images/generations.
package documents

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// kind is what sets one of the languages apart.
type kind struct {
	// name is the language's in usage events, path that of the method below an
	// upstream's version.
	name, path string
	// check says what is wrong with a request's member, nil if nothing is.
	check func(name string, val []byte) error
	// required are members without which there is no request; prompt is what
	// tokens are estimated from.
	required []string
	prompt   string
	// results is the member that every answer has, and images means that it lists
	// images.
	results string
	images  bool
}

func (k *kind) language() *api.Language {
	return &api.Language{
		New:         func() api.Translator { return &translator{kind: k} },
		AppendError: func(dst []byte, p *problem.Problem) []byte { return p.Append(dst) },
	}
}

// translator implements api.Translator and, since an answer is one document
// that becomes one event, its decoder.
type translator struct {
	*kind
	req     chat.Request // only what the gateway looks at
	body    []byte
	adapter codec.Adapter
	usage   chat.Usage
	answer  []byte
}

// Name implements api.Translator.
func (t *translator) Name() string { return t.name }

// Request implements api.Translator.
func (t *translator) Request() *chat.Request { return &t.req }

// Streamed implements api.Translator.
func (t *translator) Streamed() bool { return false }

// Stream implements api.Translator; there is none.
func (t *translator) Stream() api.Stream { return nil }

// Reset implements api.Translator.
func (t *translator) Reset() { *t = translator{kind: t.kind, answer: api.Bounded(t.answer)} }

// Parse implements api.Translator.
func (t *translator) Parse(body []byte, _ api.Header) error {
	if err := rawjson.Valid(body); err != nil {
		return invalid("The request body is not valid JSON: %v", err)
	}
	if body = bytes.TrimSpace(body); body[0] != '{' {
		return invalid("The request body must be a JSON object")
	}
	t.body = body
	seen := map[string]bool{}
	for key, val := range rawjson.Members(body) {
		name := string(rawjson.AppendUnescaped(nil, key))
		if seen[name] {
			return invalid("%s: duplicate key", name)
		}
		seen[name] = true
		if rawjson.IsNull(val) {
			continue
		}
		if err := t.member(name, val); err != nil {
			return err
		}
	}
	for _, name := range t.required {
		if rawjson.IsNull(chat.Member(body, name)) {
			return invalid("%s: required", name)
		}
	}
	return nil
}

func (t *translator) member(name string, val []byte) error {
	switch name {
	case "model":
		if val[0] != '"' {
			return invalid("model: must be a string")
		}
		t.req.Model = rawjson.Text(val)
	case "provider":
		if val[0] != rawjson.Object {
			return invalid("provider: must be an object")
		}
		t.req.Set(chat.Provider, val)
	case "stream":
		if string(val) != "false" {
			return invalid("stream: not supported by %s through this gateway", t.name)
		}
	case t.prompt:
		t.req.Messages = val
	}
	return t.check(name, val)
}

// Encode implements api.Translator.
func (t *translator) Encode(a codec.Adapter, call *codec.Call) error {
	p, ok := a.(codec.Poster)
	if !ok {
		return invalid("This model's provider does not support %s through this gateway", t.name)
	}
	t.adapter = a
	return p.EncodePost(t.path, t.body, call)
}

// Decoder implements api.Translator.
func (t *translator) Decoder(codec.Adapter) codec.Decoder { return t }

// Body implements codec.Decoder.
func (t *translator) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	body = bytes.TrimSpace(body)
	if err := rawjson.Valid(body); err != nil {
		return out, &fault.Error{Kind: fault.Unavailable, Message: "The upstream's answer is not valid JSON", Err: err}
	}
	list := chat.Member(body, t.results)
	if len(list) == 0 || list[0] != '[' {
		if chat.Member(body, "error") != nil || chat.Member(body, "detail") != nil {
			return out, t.adapter.Fault(0, body)
		}
		return out, fault.New(fault.Unavailable, "The upstream's answer has no %s", t.results)
	}
	t.answer = append(t.answer[:0], body...)
	t.usage = usageOf(t.answer)
	ev := chat.Event{ID: literal(chat.Member(t.answer, "id")), Finish: chat.FinishStop, Done: true}
	if !t.usage.Zero() || t.usage.WebSearches > 0 { // else it is estimated
		ev.Usage = &t.usage
	}
	if t.images {
		ev.Images = chat.Member(t.answer, t.results)
	}
	return append(out, ev), nil
}

func literal(raw []byte) chat.Literal {
	if len(raw) > 0 && raw[0] == '"' {
		return raw
	}
	return nil
}

// usageOf reads the counts in the places where servers have them. Cohere bills a
// rerank by the number of searches that it comes to.
func usageOf(body []byte) (u chat.Usage) {
	usage, meta := chat.Member(body, "usage"), chat.Member(chat.Member(body, "meta"), "tokens")
	for _, f := range []struct {
		into *int64
		raw  []byte
	}{
		{&u.Prompt, chat.Member(usage, "total_tokens")}, // of a rerank, which generates nothing
		{&u.Prompt, chat.Member(usage, "prompt_tokens")},
		{&u.Prompt, chat.Member(usage, "input_tokens")},
		{&u.Prompt, chat.Member(meta, "input_tokens")},
		{&u.Completion, chat.Member(usage, "output_tokens")},
		{&u.Completion, chat.Member(meta, "output_tokens")},
		{&u.WebSearches, chat.Member(chat.Member(chat.Member(body, "meta"), "billed_units"), "search_units")},
		{&u.PromptImage, chat.Member(chat.Member(usage, "input_tokens_details"), "image_tokens")},
	} {
		if n := chat.Tokens(f.raw); n > 0 {
			*f.into = n
		}
	}
	return u
}

// Event implements codec.Decoder.
func (t *translator) Event(_, _ []byte, out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "The upstream streamed an answer that was to come in one piece")
}

// EOF implements codec.Decoder.
func (t *translator) EOF(out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "The upstream's answer is cut short")
}

// Gather implements api.Translator; Body has kept what counts.
func (t *translator) Gather(*chat.Event) {}

// Append implements api.Translator. Only id and model are the gateway's.
func (t *translator) Append(dst []byte, h api.Head, total *api.Total) []byte {
	dst = rawjson.AppendString(append(dst, `{"id":`...), h.ID)
	dst = rawjson.AppendString(append(dst, `,"model":`...), h.Model)
	for key, val := range rawjson.Members(t.answer) {
		switch string(key) {
		case "id", "model":
			continue
		case "usage":
			if total.Cost != "" && val[0] == rawjson.Object {
				dst = api.AppendUsage(append(dst, `,"usage":`...), val, total.Cost)
				continue
			}
		}
		dst = append(append(append(append(dst, ',', '"'), key...), '"', ':'), val...)
	}
	return append(dst, '}')
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}
