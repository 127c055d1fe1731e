// Package embeddings is OpenAI's API for embeddings. An answer's vectors are
// turned into the encoding that the client asked for, whatever the provider sent.
package embeddings

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Language returns POST embeddings.
func Language() *api.Language {
	return &api.Language{
		Embeddings:  true,
		New:         func() api.Translator { return &translator{} },
		AppendError: func(dst []byte, p *problem.Problem) []byte { return p.Append(dst) },
	}
}

// translator implements api.Translator and, since an answer is one document
// that becomes one event, its decoder.
type translator struct {
	req     chat.Request // only what the gateway looks at
	call    codec.EmbeddingRequest
	adapter codec.Embedder
	answer  codec.EmbeddingAnswer
	data    []byte // the list of vectors as the client gets it
}

// Name implements api.Translator.
func (t *translator) Name() string { return "embeddings" }

// Request implements api.Translator.
func (t *translator) Request() *chat.Request { return &t.req }

// Streamed implements api.Translator.
func (t *translator) Streamed() bool { return false }

// Stream implements api.Translator; there is none.
func (t *translator) Stream() api.Stream { return nil }

// Reset implements api.Translator.
func (t *translator) Reset() {
	clear(t.call.Fields)
	*t = translator{call: codec.EmbeddingRequest{Fields: t.call.Fields[:0]}, answer: t.answer, data: api.Bounded(t.data)}
	clear(t.answer.Vectors)
	t.answer.Reset(0)
}

// Encode implements api.Translator.
func (t *translator) Encode(a codec.Adapter, call *codec.Call) error {
	e, ok := a.(codec.Embedder)
	if !ok {
		return invalid("This model's provider does not support embeddings through this gateway")
	}
	t.adapter = e
	return e.EncodeEmbedding(&t.call, call)
}

// Decoder implements api.Translator.
func (t *translator) Decoder(codec.Adapter) codec.Decoder { return t }

// Body implements codec.Decoder. The vectors are converted here, where those
// that are malformed can still be the endpoint's fault and another's chance.
func (t *translator) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	t.answer.Reset(t.call.Count)
	if err := t.adapter.DecodeEmbedding(body, &t.answer); err != nil {
		return out, err
	}
	t.data = t.data[:0]
	for i, v := range t.answer.Vectors {
		if i > 0 {
			t.data = append(t.data, ',')
		}
		t.data = strconv.AppendInt(append(t.data, `{"object":"embedding","index":`...), int64(i), 10)
		var err error
		if t.data, err = appendVector(append(t.data, `,"embedding":`...), v, t.call.Base64); err != nil {
			return out, err
		}
		t.data = append(t.data, '}')
	}
	ev := chat.Event{Finish: chat.FinishStop, Done: true}
	if !t.answer.Usage.Zero() { // else it is estimated
		ev.Usage = &t.answer.Usage
	}
	return append(out, ev), nil
}

// Event implements codec.Decoder.
func (t *translator) Event(_, _ []byte, out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "The upstream streamed embeddings")
}

// EOF implements codec.Decoder.
func (t *translator) EOF(out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "The upstream's answer is cut short")
}

// Gather implements api.Translator; Body has kept what counts.
func (t *translator) Gather(*chat.Event) {}

// Append implements api.Translator.
func (t *translator) Append(dst []byte, h api.Head, total *api.Total) []byte {
	dst = append(append(dst, `{"object":"list","data":[`...), t.data...)
	dst = rawjson.AppendString(append(dst, `],"model":`...), h.Model)
	dst = strconv.AppendInt(append(dst, `,"usage":{"prompt_tokens":`...), total.Prompt, 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), total.Prompt, 10)
	if total.Cost != "" {
		dst = append(append(dst, `,"cost":`...), total.Cost...)
	}
	return append(dst, '}', '}')
}
