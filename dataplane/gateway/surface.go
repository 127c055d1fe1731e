package gateway

import (
	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/relay"
)

// surface is an API in whose language a generation is asked for and answered.
// Between the two everything is the same.
type surface uint8

const (
	surfaceChat surface = iota
	surfaceCompletions
)

// String is the surface's name in the log.
func (s surface) String() string {
	if s == surfaceCompletions {
		return "completions"
	}
	return "chat"
}

// parse reads the request in the surface's language.
func (x *exchange) parse() error {
	body := x.ctx.PostBody()
	if x.surface == surfaceCompletions {
		var err error
		if x.body, err = chat.FromPrompt(x.body[:0], body); err != nil {
			return err
		}
		body = x.body
	}
	if err := x.req.Parse(body); err != nil {
		return err
	}
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
