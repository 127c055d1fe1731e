package responses

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
)

// InputTokens returns POST responses/input_tokens. An endpoint that has the API
// counts itself; for others the gateway does.
func InputTokens() *api.Language {
	lang := Language()
	lang.New = func() api.Translator { return &counter{} }
	lang.Count = &api.Count{
		Upstream: func(a codec.Adapter) bool {
			r, ok := a.(codec.Responder)
			return ok && r.SpeaksResponses()
		},
		Append: func(dst []byte, n int64) []byte {
			return append(strconv.AppendInt(append(dst, `{"object":"response.input_tokens","input_tokens":`...), n, 10), '}')
		},
	}
	return lang
}

// counter implements api.Translator for requests that want a number.
type counter struct {
	translator
	body []byte // of the endpoint's answer
}

// Name implements api.Translator.
func (c *counter) Name() string { return "input_tokens" }

// Streamed implements api.Translator.
func (c *counter) Streamed() bool { return false }

// Encode implements api.Translator.
func (c *counter) Encode(a codec.Adapter, call *codec.Call) error {
	r, ok := a.(codec.Responder)
	if !ok || !r.SpeaksResponses() {
		return invalid("This endpoint does not count tokens")
	}
	return r.EncodeResponses(c.own, "/input_tokens", call)
}

// Decoder implements api.Translator.
func (c *counter) Decoder(codec.Adapter) codec.Decoder { return api.NumberDecoder("input_tokens") }

// Gather implements api.Translator.
func (c *counter) Gather(ev *chat.Event) { c.body = ev.Raw }

// Append implements api.Translator.
func (c *counter) Append(dst []byte, _ api.Head, _ *api.Total) []byte { return append(dst, c.body...) }

// Reset implements api.Translator.
func (c *counter) Reset() {
	c.body = nil
	c.translator.Reset()
}
