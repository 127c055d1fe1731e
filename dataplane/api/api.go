// Package api is what all client languages have in common. A language is an
// API in whose words a generation is asked for and answered: chat completions,
// messages, embeddings. Each has a package below this one that owns how its
// requests are parsed and encoded, how its answers are streamed or sent in one
// piece, and what its errors look like. Whatever happens between request and
// answer is the same for all of them, and knows none.
//
// A new language is a package here and a line in the gateway's route table.
package api

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// Language is one client language.
type Language struct {
	// Embeddings is true of a language that asks for vectors: it is served by
	// models of that type, and all others by models that generate.
	Embeddings bool
	// Operation is what it asks for in the words of OpenTelemetry's conventions
	// for generative AI ("chat", "text_completion"), "" if its own name is that.
	Operation string
	// Rivals is true of a language of which two endpoints may answer a request at
	// the same time, each with a decoder of its own.
	Rivals bool
	// New returns a translator for many requests, one after the other.
	New func() Translator
	// Count is given for a language that asks for the number of prompt tokens
	// only: nothing is generated, and nothing billed.
	Count *Count
	// AppendError appends the body of an error answer.
	AppendError func(dst []byte, p *problem.Problem) []byte
}

// Header gives the first value of a request's header, nil without one. The
// value is valid as long as the request.
type Header interface {
	Peek(name string) []byte
}

// Translator carries one request and its answer between a client language and
// the canonical form. The order of calls is Parse; Encode and Decoder for each
// attempt; then Stream, or Gather... and Append for an answer in one piece;
// Reset. It is used by one goroutine and allocates nothing that it can keep for
// the next request.
type Translator interface {
	// Parse reads a request. Body and header must not change until Reset. The
	// error is an InvalidRequest fault whose message names the field.
	Parse(body []byte, h Header) error
	// Name is the language of the parsed request in the usage event.
	Name() string
	// Request is the canonical form. Of a request for embeddings it has the
	// model, the input as Messages, and what concerns the gateway.
	Request() *chat.Request

	// Encode fills call in the language of the endpoint's adapter, or passes the
	// client's own body on to one that speaks the client's language. The error is
	// a *fault.Error: this request cannot be said there.
	Encode(a codec.Adapter, call *codec.Call) error
	// Decoder returns the decoder of the endpoint's answer. What an earlier
	// attempt's decoder has left behind is void.
	Decoder(a codec.Adapter) codec.Decoder
	// Streamed reports whether the answer is a stream.
	Streamed() bool

	// Stream returns what writes the answer of a request that is streamed.
	Stream() Stream

	// Gather takes in an event of an answer that is not streamed. The event's
	// spans stay valid until Append.
	Gather(ev *chat.Event)
	// Append appends the answer in one piece: JSON, unless the translator has a
	// method ContentType() string.
	Append(dst []byte, h Head, t *Total) []byte

	// Reset ends the request and keeps the memory.
	Reset()
}

// Stream writes a streamed answer into a buffer: Begin, Event..., and End or Fail.
type Stream interface {
	// Begin fixes what is repeated in every event. It comes before the first
	// event that has content, a finish reason or the end, and before Fail. Events
	// before that write nothing: their endpoint may still fail, and another answer.
	Begin(h Head)
	// Event writes what an event has to say.
	Event(ev *chat.Event)
	// KeepAlive writes something that keeps the connection open and means
	// nothing. It may come before Begin.
	KeepAlive()
	// End completes the stream.
	End(t *Total)
	// Fail ends the stream with an error.
	Fail(p *problem.Problem)
	// Buffer is what has been written and not yet sent.
	Buffer() *[]byte
}

// Head is what all events of an answer have in common.
type Head struct {
	// ID is the generation id, Created seconds since 1970.
	ID      string
	Created int64
	// Model is the id of the answering model, Provider its display name.
	Model, Provider string
}

// Total is an answer's usage with its price, as the client is told.
type Total struct {
	chat.Usage
	// Cost and its two parts are USD as decimal text, "" if unknown.
	Cost, PromptCost, CompletionCost string
	// Routing is the raw openrouter_metadata for clients that asked for it.
	Routing []byte
}

// Bounded empties a buffer for the next request, and drops one that has grown
// too large to be kept.
func Bounded(b []byte) []byte {
	const most = 256 << 10
	if cap(b) > most {
		return nil
	}
	return b[:0]
}
