package api

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Count says how a language counts tokens.
type Count struct {
	// Upstream reports whether the endpoint of an adapter counts itself, and is
	// asked. For others the gateway counts.
	Upstream func(a codec.Adapter) bool
	// Append appends the answer with the gateway's count.
	Append func(dst []byte, tokens int64) []byte
}

// NumberDecoder returns the decoder of an answer that is one object with a
// number of that name. The object is in the Raw of the one event.
func NumberDecoder(name string) codec.Decoder { return number(name) }

type number string

// Body implements codec.Decoder.
func (n number) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	if rawjson.Valid(body) == nil {
		if _, ok := rawjson.Int(chat.Member(body, string(n))); ok {
			return append(out, chat.Event{Raw: body, RawShown: true, Finish: chat.FinishStop, Done: true}), nil
		}
	}
	return out, fault.New(fault.Unavailable, "The upstream's answer has no %s", string(n))
}

// Event implements codec.Decoder; such answers are never streamed.
func (n number) Event(_, _ []byte, out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "The upstream streamed a number")
}

// EOF implements codec.Decoder.
func (n number) EOF(out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "The upstream's answer is cut short")
}
