// Package transcriptions is the client language of OpenAI's
// audio/transcriptions: a form with a sound file, which is passed on as it is.
package transcriptions

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/form"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Language returns POST audio/transcriptions.
func Language() *api.Language {
	return &api.Language{
		New:         func() api.Translator { return &translator{} },
		AppendError: func(dst []byte, p *problem.Problem) []byte { return p.Append(dst) },
	}
}

// translator implements api.Translator.
type translator struct {
	req    chat.Request // only what the gateway looks at
	form   form.Form
	format string
	answer answer
	stream stream
}

// Name implements api.Translator.
func (t *translator) Name() string { return "transcriptions" }

// Request implements api.Translator.
func (t *translator) Request() *chat.Request { return &t.req }

// Streamed implements api.Translator.
func (t *translator) Streamed() bool { return t.req.Stream }

// Reset implements api.Translator.
func (t *translator) Reset() {
	*t = translator{
		answer: answer{body: api.Bounded(t.answer.body), text: api.Bounded(t.answer.text)},
		stream: stream{buf: api.Bounded(t.stream.buf), done: api.Bounded(t.stream.done)},
	}
}

// Parse implements api.Translator.
func (t *translator) Parse(body []byte, h api.Header) error {
	var err error
	if t.form, err = form.Parse(string(h.Peek("Content-Type")), body); err != nil {
		return invalid("%s", err)
	}
	t.format = "json"
	seen := map[string]bool{}
	for i := range t.form.Parts {
		p := &t.form.Parts[i]
		if seen[p.Name] && !strings.HasSuffix(p.Name, "[]") {
			return invalid("%s: duplicate field", p.Name)
		}
		seen[p.Name] = true
		if err := t.field(p); err != nil {
			return err
		}
	}
	if !seen["file"] {
		return invalid("file: required")
	}
	if t.req.Stream && !t.isJSON() {
		return invalid("response_format: a stream is JSON; %s cannot be streamed", t.format)
	}
	return nil
}

// controls are the fields that the gateway acts on.
func controls() []string {
	return []string{"model", "file", "stream", "response_format", "prompt", "temperature", "provider"}
}

// formats are the values of response_format.
func formats() []string {
	return []string{"json", "text", "srt", "verbose_json", "vtt", "diarized_json"}
}

func (t *translator) field(p *form.Part) error {
	for _, name := range controls() {
		if p.Name != name && strings.EqualFold(p.Name, name) {
			return invalid("%s: unknown field; did you mean %s?", p.Name, name)
		}
	}
	if p.Name == "file" {
		if p.Filename == "" {
			return invalid("file: must be a file with a name")
		}
		return nil
	}
	if p.Filename != "" && slices.Contains(controls(), p.Name) {
		return invalid("%s: must not be a file", p.Name)
	}
	switch value := string(p.Value); p.Name {
	case "model":
		t.req.Model = value
		t.req.Set(chat.Model, rawjson.AppendString(nil, value))
	case "stream":
		switch strings.ToLower(value) {
		case "true":
			t.req.Stream = true
		case "false":
		default:
			return invalid("stream: must be true or false, got %q", value)
		}
	case "response_format":
		if t.format = value; !slices.Contains(formats(), value) {
			return invalid("response_format: must be one of %s, got %q", strings.Join(formats(), ", "), value)
		}
	case "temperature":
		if n, err := strconv.ParseFloat(value, 64); err != nil || !(n >= 0 && n <= 1) {
			return invalid("temperature: must be a number from 0 to 1, got %q", value)
		}
	case "prompt":
		t.req.Messages = rawjson.AppendString(nil, value)
	case "provider":
		if rawjson.Valid(p.Value) != nil || len(p.Value) == 0 || p.Value[0] != rawjson.Object {
			return invalid("provider: must be a JSON object")
		}
		t.req.Set(chat.Provider, p.Value)
	}
	return nil
}

// isJSON reports whether the answer is a JSON object.
func (t *translator) isJSON() bool { return strings.HasSuffix(t.format, "json") }

// ContentType is that of a unary answer.
func (t *translator) ContentType() string {
	if t.isJSON() {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

// Encode implements api.Translator.
func (t *translator) Encode(a codec.Adapter, call *codec.Call) error {
	p, ok := a.(codec.Poster)
	if !ok {
		return invalid("This model's provider does not support audio/transcriptions through this gateway")
	}
	return p.EncodeForm("audio/transcriptions", &t.form, call)
}

// Decoder implements api.Translator.
func (t *translator) Decoder(a codec.Adapter) codec.Decoder {
	t.answer = answer{adapter: a, format: t.format, body: t.answer.body[:0], text: t.answer.text[:0]}
	return &t.answer
}

// Stream implements api.Translator.
func (t *translator) Stream() api.Stream {
	t.stream.answer = &t.answer
	return &t.stream
}

// Gather implements api.Translator; the answer has kept what counts.
func (t *translator) Gather(*chat.Event) {}

// Append implements api.Translator: the upstream's answer, with the cost in its
// usage.
func (t *translator) Append(dst []byte, _ api.Head, total *api.Total) []byte {
	if !t.isJSON() {
		return append(dst, t.answer.body...)
	}
	return api.AppendCost(dst, t.answer.body, total)
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}
