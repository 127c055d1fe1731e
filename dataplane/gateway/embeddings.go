package gateway

import (
	"slices"
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/price"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// embeddings answers POST embeddings, on the same way as every generation.
func (g *Gateway) embeddings(ctx *fasthttp.RequestCtx) { g.complete(ctx, surfaceEmbeddings) }

func (x *exchange) parseEmbedding(body []byte) error {
	if err := x.embedding.Parse(body); err != nil {
		return err
	}
	x.req.Model = x.embedding.Model // the rest of the way asks for it there
	return x.takePreferences()
}

// takePreferences takes the provider object out of the request: it is not the
// upstream's business.
func (x *exchange) takePreferences() error {
	for i, f := range x.embedding.Fields {
		if string(f.Key) != chat.Provider.String() {
			continue
		}
		if f.Value[0] != rawjson.Object {
			return fault.New(fault.InvalidRequest, "provider: must be an object")
		}
		x.preferences = f.Value
		x.embedding.Fields = slices.Delete(x.embedding.Fields, i, i+1)
		return nil
	}
	return nil
}

func (x *exchange) encodeEmbedding(a codec.Adapter, call *codec.Call) error {
	e, ok := a.(codec.Embedder)
	if !ok {
		return fault.New(fault.InvalidRequest, "This model's provider makes no embeddings through this gateway")
	}
	return e.EncodeEmbedding(&x.embedding, call)
}

// embeddingDecoder decodes the answer into the exchange. What dispatch sees is
// an answer of one event that ends it.
type embeddingDecoder struct {
	x       *exchange
	adapter codec.Adapter
}

// Body implements codec.Decoder.
func (d *embeddingDecoder) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	x := d.x
	x.vectors.Reset(x.embedding.Count)
	e, ok := d.adapter.(codec.Embedder)
	if !ok {
		return out, fault.New(fault.Internal, "Internal error")
	}
	if err := e.DecodeEmbedding(body, &x.vectors); err != nil {
		return out, err
	}
	// The answer is written here, where vectors that are none can still be the
	// endpoint's fault and another's chance.
	var err error
	usage := x.embeddingUsage()
	if x.out, err = x.vectors.Append(x.out[:0], x.run.Current().Model.ID, x.embedding.Base64, usage); err != nil {
		return out, err
	}
	return append(out, chat.Event{Finish: chat.FinishStop, Usage: &x.vectors.Usage, Done: true}), nil
}

// embeddingUsage is what the client is told of tokens and cost.
func (x *exchange) embeddingUsage() []byte {
	u := &x.vectors.Usage
	prompt, completion := x.run.Current().Endpoint.Price.Cost(u)
	dst := strconv.AppendInt([]byte(`{"prompt_tokens":`), u.Prompt, 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), u.Prompt, 10)
	return append(price.AppendUSD(append(dst, `,"cost":`...), prompt+completion), '}')
}

// Event implements codec.Decoder; embeddings are never streamed.
func (d *embeddingDecoder) Event(_, _ []byte, out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "The upstream streamed embeddings")
}

// EOF implements codec.Decoder.
func (d *embeddingDecoder) EOF(out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "The upstream's answer is cut short")
}
