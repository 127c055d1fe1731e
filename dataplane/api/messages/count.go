package messages

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
)

// CountTokens returns POST messages/count_tokens. An Anthropic endpoint counts
// itself; for others the gateway does.
func CountTokens() *api.Language {
	return &api.Language{
		New:         func() api.Translator { return &counter{} },
		AppendError: appendError,
		Count: &api.Count{
			Upstream: func(a codec.Adapter) bool {
				t, ok := a.(tokenCounter)
				return ok && t.CountsTokens()
			},
			Append: func(dst []byte, n int64) []byte {
				return append(strconv.AppendInt(append(dst, `{"input_tokens":`...), n, 10), '}')
			},
		},
	}
}

// counter implements api.Translator for requests that want a number.
type counter struct {
	translator
	body []byte // of the endpoint's answer
}

// tokenCounter is an adapter whose upstream counts the tokens of a request of
// this API.
type tokenCounter interface {
	// EncodeCountTokens fills call with a client's own request.
	EncodeCountTokens(body []byte, call *codec.Call) error
	// CountsTokens reports whether the endpoint can.
	CountsTokens() bool
}

// Name implements api.Translator.
func (c *counter) Name() string { return "count_tokens" }

// Streamed implements api.Translator.
func (c *counter) Streamed() bool { return false }

// Encode implements api.Translator.
func (c *counter) Encode(a codec.Adapter, call *codec.Call) error {
	t, ok := a.(tokenCounter)
	if !ok || !t.CountsTokens() {
		return invalid("This endpoint does not count tokens")
	}
	if err := t.EncodeCountTokens(c.translator.body, call); err != nil {
		return err
	}
	c.addHeaders(call)
	return nil
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
