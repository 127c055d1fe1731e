package gateway

import (
	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/messages"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/relay"
)

// surface is an API in whose language a generation is asked for and answered.
// Between the two everything is the same.
type surface uint8

const (
	surfaceChat surface = iota
	surfaceCompletions
	surfaceMessages
	surfaceEmbeddings
)

// String is the surface's name in the log.
func (s surface) String() string {
	switch s {
	case surfaceCompletions:
		return "completions"
	case surfaceMessages:
		return "messages"
	case surfaceEmbeddings:
		return "embeddings"
	case surfaceChat:
	}
	return "chat"
}

// writer writes a stream in the surface's language.
type writer interface {
	Begin(h relay.Head)
	Event(ev *chat.Event)
	Comment()
	End(t *relay.Total)
	Fail(p *problem.Problem)
	Buffer() *[]byte
}

// open prepares the writer of the request's surface.
func (x *exchange) open() {
	x.chunks.Reset(x.view)
	x.w = &x.chunks
	if x.surface == surfaceMessages {
		x.messages.Reset()
		x.w = &x.messages
	}
}

// parse reads the request in the surface's language.
func (x *exchange) parse() error {
	body := x.ctx.PostBody()
	var err error
	switch x.surface {
	case surfaceEmbeddings:
		return x.parseEmbedding(body)
	case surfaceCompletions:
		x.body, err = chat.FromPrompt(x.body[:0], body)
		body = x.body
	case surfaceMessages:
		x.body, err = messages.Canonical(x.body[:0], body)
		body = x.body
	case surfaceChat:
	}
	if err != nil {
		return err
	}
	if err := x.req.Parse(body); err != nil {
		return err
	}
	if x.surface == surfaceChat && len(x.req.Messages) == 0 { // a prompt instead: answered in its own form
		x.surface = surfaceCompletions
		return x.parse()
	}
	x.preferences = x.req.Raw(chat.Provider)
	x.view = relay.Options{
		HideReasoning: x.req.Reasoning.Exclude, Alias: passesReasoning(x.ctx), Legacy: x.surface == surfaceCompletions,
	}
	return nil
}

// passesReasoning reports whether reasoning_content is sent beside reasoning:
// strict OpenAI clients switch it off.
func passesReasoning(ctx *fasthttp.RequestCtx) bool {
	switch string(ctx.Request.Header.Peek("X-Reasoning-Passthrough")) {
	case "false", "0", "no":
		return false
	}
	return true
}

// messagesEncoder is an adapter that speaks the Messages API itself: the
// client's request goes through as it is.
type messagesEncoder interface {
	EncodeMessages(body []byte, call *codec.Call) error
}

// Encode implements dispatch.Task.
func (x *exchange) Encode(a codec.Adapter, call *codec.Call) error {
	switch x.surface {
	case surfaceEmbeddings:
		return x.encodeEmbedding(a, call)
	case surfaceMessages:
		enc, ok := a.(messagesEncoder)
		if !ok {
			break
		}
		if betas := x.ctx.Request.Header.Peek("Anthropic-Beta"); len(betas) > 0 {
			call.Headers = append(call.Headers, codec.Header{Name: "anthropic-beta", Value: string(betas)})
		}
		return enc.EncodeMessages(x.ctx.PostBody(), call)
	case surfaceChat, surfaceCompletions:
	}
	return a.Encode(&x.req, call)
}

// Decoder implements dispatch.Task.
func (x *exchange) Decoder(a codec.Adapter) codec.Decoder {
	if x.surface == surfaceEmbeddings {
		return &embeddingDecoder{x: x, adapter: a}
	}
	return codec.DecoderFor(a, &x.req)
}

// Streamed implements dispatch.Task.
func (x *exchange) Streamed() bool { return x.req.Stream }
