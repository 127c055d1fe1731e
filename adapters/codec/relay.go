package codec

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Relay returns a decoder for a client that speaks the provider's own language:
// each of the provider's events, or its entire body, is in the Raw of an event
// beside what the gateway itself has to know of it, which is what d decodes.
// quiet reports the events that say nothing of the answer yet.
func Relay(d Decoder, quiet func(name []byte) bool) Decoder { return &relay{d, quiet} }

type relay struct {
	inner Decoder
	quiet func(name []byte) bool
}

// Event implements Decoder.
func (r *relay) Event(name, data []byte, out []chat.Event) ([]chat.Event, error) {
	n := len(out)
	out, err := r.inner.Event(name, data, out)
	if err != nil {
		return out, err
	}
	if len(name) == 0 {
		name = rawjson.Inner(chat.Member(data, "type"))
	}
	out = first(out, n)
	out[n].RawName, out[n].Raw, out[n].RawShown = name, data, !r.quiet(name)
	return out, nil
}

// Body implements Decoder.
func (r *relay) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	n := len(out)
	out, err := r.inner.Body(body, out)
	if err != nil {
		return out, err
	}
	out = first(out, n)
	out[n].Raw, out[n].RawShown = body, true
	return out, nil
}

// EOF implements Decoder.
func (r *relay) EOF(out []chat.Event) ([]chat.Event, error) { return r.inner.EOF(out) }

// first makes sure that there is an nth event.
func first(out []chat.Event, n int) []chat.Event {
	if len(out) == n {
		out = append(out, chat.Event{})
	}
	return out
}
