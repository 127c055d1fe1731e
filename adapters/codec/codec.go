// Package codec is the contract between the gateway and the adapters, which
// know the providers' wire formats. An adapter turns a canonical request into
// the provider's bytes, and the provider's bytes into canonical events and
// classified faults. It never dials, retries, sleeps or logs; package upstream
// moves the bytes and package dispatch decides what becomes of a fault.
package codec

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/form"
	"github.com/hybridinference/gateway/adapters/sse"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// Settings is what an adapter has to know of its endpoint and of the model
// that the endpoint serves.
type Settings struct {
	// Kind is one of Kinds; Slug the provider that an openrouter[slug] pins.
	Kind, Slug string
	// BaseURL has no trailing slash.
	BaseURL string
	// Region is where a kind with regions is, "" for the others.
	Region string
	// APIVersion is the version of the API, where a kind has several; "" for the
	// adapter's choice.
	APIVersion string
	// Model is the upstream's name for the model.
	Model string
	// Processor names the text-to-structure conversion of the answers: default,
	// glm, qwen_coder, think_block, think_open, or "" for what the adapter finds fit.
	Processor string
	// ExtraBody is a JSON object whose members are merged into each request.
	ExtraBody json.RawMessage
	// Responses says that the endpoint serves OpenAI's Responses API itself.
	Responses bool
	// MaxOutput is the model's greatest max_tokens; larger requests are clamped.
	MaxOutput int64
	// Inputs are the modalities that the model takes beside text.
	Inputs chat.Feature
	// Tools and Structured tell whether the model takes tools and schemas.
	Tools, Structured bool
	// Params are the sampling parameters that the model takes beside
	// temperature, top_p, max_tokens and stop.
	Params chat.ParamSet
	// Traits override what is known of the model, nil for nothing.
	Traits *wire.Traits
}

// Adapter is the codec of one endpoint. It is immutable and used concurrently.
type Adapter interface {
	// Encode fills call with the provider's form of r; the buffers that call
	// has are reused. The error is an InvalidRequest fault: this request cannot
	// be said in the provider's language.
	Encode(r *chat.Request, call *Call) error
	// Authorize returns the header that carries the endpoint's secret.
	Authorize(secret string) Header
	// Decoder returns the decoder of one answer.
	Decoder() Decoder
	// Fault classifies an answer with an error status. The message of the
	// result is safe for clients. Retry-After headers are the caller's business.
	Fault(status int, body []byte) *fault.Error
}

// RequestDecoder is an Adapter whose decoder also depends on the request, as
// when calls are read out of text with the types that the tools declare.
type RequestDecoder interface {
	// DecoderFor returns the decoder of the answer to r, which must not change
	// while the decoder is in use.
	DecoderFor(r *chat.Request) Decoder
}

// DecoderFor returns the adapter's decoder for the answer to a request.
func DecoderFor(a Adapter, r *chat.Request) Decoder {
	if rd, ok := a.(RequestDecoder); ok {
		return rd.DecoderFor(r)
	}
	return a.Decoder()
}

// Signed is an Adapter whose entire requests are signed, with keys that are not
// sent.
type Signed interface {
	// Signs says for which of AWS' services and regions a secret signs, or ""
	// which is for the machine's own; not ok if Authorize says all.
	Signs(secret string) (service, region string, ok bool)
}

// Framed is an Adapter whose streams are not server-sent events.
type Framed interface {
	// Frames returns the reader of one stream.
	Frames() Frames
}

// Frames cuts a stream into events, like sse.Reader, which is one.
type Frames interface {
	Space() []byte
	Advance(n int)
	Next() (sse.Event, bool, error)
	End() (sse.Event, bool)
}

// Poster is an Adapter whose endpoint may have further methods that take one
// JSON document or one form. Authorize and Fault are those of the Adapter.
type Poster interface {
	// EncodePost fills call with a client's document for the method at a path
	// below the version, such as rerank.
	EncodePost(path string, body []byte, call *Call) error
	// EncodeForm does so with a client's form, for methods such as
	// audio/transcriptions.
	EncodeForm(path string, f *form.Form, call *Call) error
}

// Responder is an Adapter whose endpoint may serve OpenAI's Responses API
// itself. Authorize and Fault are those of the Adapter.
type Responder interface {
	// SpeaksResponses reports whether the endpoint does.
	SpeaksResponses() bool
	// EncodeResponses fills call with a client's own request to responses, or to
	// the path below it, as it is but for what concerns the gateway.
	EncodeResponses(body []byte, path string, call *Call) error
	// ResponsesDecoder returns the decoder of the answer, whose events carry the
	// provider's own in Raw.
	ResponsesDecoder() Decoder
}

// Decoder turns one answer into events. Events are appended to out, which is
// returned; their spans are valid until the next call. An error is always a
// *fault.Error and ends the answer.
type Decoder interface {
	// Event decodes one server-sent event.
	Event(name, data []byte, out []chat.Event) ([]chat.Event, error)
	// Body decodes a unary answer of status 200.
	Body(body []byte, out []chat.Event) ([]chat.Event, error)
	// EOF says that the upstream closed a stream without a terminal event. It
	// returns what was held back, and a fault if the answer is not complete.
	EOF(out []chat.Event) ([]chat.Event, error)
}

// Call is a provider's request as bytes.
type Call struct {
	URL     string
	Headers []Header
	Body    []byte
	// ContentType is the body's, "" for JSON.
	ContentType string
	// Dropped are the parameters that the client sent and the provider does
	// not take.
	Dropped chat.ParamSet
	// Omitted names what else of the request did not go out: members and tools
	// that have no Param.
	Omitted []string
}

// Header is one HTTP header line.
type Header struct{ Name, Value string }

// Override adds headers that an operator wants with every request, in place of
// those of the same name.
func (c *Call) Override(headers []Header) {
	for _, h := range headers {
		i := slices.IndexFunc(c.Headers, func(is Header) bool { return strings.EqualFold(is.Name, h.Name) })
		if i < 0 {
			c.Headers = append(c.Headers, h)
		} else {
			c.Headers[i] = h
		}
	}
}

// Reset empties the call and keeps its buffers.
func (c *Call) Reset() {
	*c = Call{Headers: c.Headers[:0], Body: c.Body[:0], Omitted: c.Omitted[:0]}
}
