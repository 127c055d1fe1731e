// Package completions is OpenAI's API for chat completions in OpenRouter's form,
// and the one for completions of a prompt that came before it. They differ in
// how a request and a choice are written.
package completions

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// Chat returns POST chat/completions.
func Chat() *api.Language { return language(false) }

// Legacy returns POST completions.
func Legacy() *api.Language { return language(true) }

func language(legacy bool) *api.Language {
	operation := "chat"
	if legacy {
		operation = "text_completion"
	}
	return &api.Language{
		Operation: operation, Rivals: true,
		New:         func() api.Translator { return &translator{legacy: legacy} },
		AppendError: func(dst []byte, p *problem.Problem) []byte { return p.Append(dst) },
	}
}

// translator implements api.Translator.
type translator struct {
	legacy bool

	req     chat.Request
	body    []byte // of req, where the client has sent a prompt
	options options
	stream  stream
	answer  answer
}

// options say how a client wants to see an answer.
type options struct {
	// hideReasoning leaves reasoning out altogether (reasoning.exclude).
	hideReasoning bool
	// alias adds reasoning_content, the name that older clients read.
	alias bool
	// legacy writes text_completion objects.
	legacy bool
	// custom are the request's tools of free text.
	custom customTools
}

func (o options) object(chunk bool) string {
	switch {
	case o.legacy:
		return "text_completion"
	case chunk:
		return "chat.completion.chunk"
	}
	return "chat.completion"
}

// Parse implements api.Translator.
func (t *translator) Parse(body []byte, h api.Header) error {
	t.options = options{legacy: t.legacy, alias: passesReasoning(h)}
	if !t.legacy {
		if err := t.req.Parse(body); err != nil {
			return err
		}
		t.options.legacy = len(t.req.Messages) == 0 // a prompt is answered in its own form
	}
	if t.options.legacy {
		var err error
		if t.body, err = chat.FromPrompt(t.body[:0], body); err != nil {
			return err
		}
		if err := t.req.Parse(t.body); err != nil {
			return err
		}
	}
	t.options.hideReasoning = t.req.Reasoning.Exclude
	t.options.custom = customToolsOf(&t.req)
	return nil
}

// passesReasoning reports whether reasoning_content is sent beside reasoning:
// strict OpenAI clients switch it off.
func passesReasoning(h api.Header) bool {
	switch string(h.Peek("X-Reasoning-Passthrough")) {
	case "false", "0", "no":
		return false
	}
	return true
}

// Name implements api.Translator.
func (t *translator) Name() string {
	if t.options.legacy {
		return "completions"
	}
	return "chat"
}

// Request implements api.Translator.
func (t *translator) Request() *chat.Request { return &t.req }

// Encode implements api.Translator.
func (t *translator) Encode(a codec.Adapter, call *codec.Call) error { return a.Encode(&t.req, call) }

// Decoder implements api.Translator.
func (t *translator) Decoder(a codec.Adapter) codec.Decoder { return codec.DecoderFor(a, &t.req) }

// Streamed implements api.Translator.
func (t *translator) Streamed() bool { return t.req.Stream }

// Stream implements api.Translator.
func (t *translator) Stream() api.Stream {
	t.stream.Reset(t.options)
	return &t.stream
}

// Gather implements api.Translator.
func (t *translator) Gather(ev *chat.Event) { t.answer.Event(ev) }

// Append implements api.Translator.
func (t *translator) Append(dst []byte, h api.Head, total *api.Total) []byte {
	return t.answer.Append(dst, h, total, t.options)
}

// Reset implements api.Translator.
func (t *translator) Reset() {
	t.req.Reset()
	t.answer.Reset()
	t.options, t.body, t.stream.buf = options{legacy: t.legacy}, api.Bounded(t.body), api.Bounded(t.stream.buf)
}
