package dispatch

import "github.com/hybridinference/gateway/adapters/codec"

// Task is what a request asks of an endpoint, whichever that will be: a chat,
// embeddings, or a request in the provider's own language.
type Task interface {
	// Encode fills call in the language of the endpoint's adapter. The error is
	// a *fault.Error: this request cannot be said there.
	Encode(a codec.Adapter, call *codec.Call) error
	// Decoder returns the decoder of the endpoint's answer.
	Decoder(a codec.Adapter) codec.Decoder
	// Streamed reports whether the answer comes as a stream.
	Streamed() bool
}
