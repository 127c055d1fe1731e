package openai

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// EncodeEmbedding implements codec.Embedder. The client's encoding_format goes
// along: whether the server minds it does not matter.
func (a *Adapter) EncodeEmbedding(r *codec.EmbeddingRequest, call *codec.Call) error {
	call.URL = a.base + "/embeddings" + a.query
	call.Body = append(append(call.Body, `{"model":`...), a.model...)
	for _, f := range r.Fields {
		if !a.override[string(f.Key)] {
			call.Body = appendMember(call.Body, f.Key, f.Value)
		}
	}
	call.Body = append(append(call.Body, a.always...), '}')
	return nil
}

// DecodeEmbedding implements codec.Embedder.
func (a *Adapter) DecodeEmbedding(body []byte, out *codec.EmbeddingAnswer) error {
	d := decoder{profile: &a.profile}
	var c rawjson.Cursor
	c.Reset(bytes.TrimSpace(body))
	if !c.Object() {
		return unreadable("The upstream's answer is not a JSON object", nil)
	}
	failed := false
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "data":
			vectors(&c, out)
		case "usage":
			d.readUsage(&c)
		case "error", "base_resp", "detail", "object":
			failed = isFailure(key, c.Raw(), false) || failed
		default:
			c.Skip()
		}
	}
	switch err := c.End(); {
	case err != nil:
		return unreadable("The upstream's answer is not valid JSON", err)
	case failed:
		return d.inBand(body)
	case !out.Complete():
		return unreadable("The upstream's answer lacks embeddings", nil)
	}
	out.Usage = d.usage
	return nil
}

func vectors(c *rawjson.Cursor, out *codec.EmbeddingAnswer) {
	if !c.Array() {
		c.Skip()
		return
	}
	for n := 0; c.Elem(); n++ {
		item := c.Raw()
		at := n
		if i, ok := rawjson.Int(chat.Member(item, "index")); ok {
			at = int(min(max(i, 0), codec.MaxEmbeddingInputs))
		}
		if v := chat.Member(item, "embedding"); at < len(out.Vectors) && codec.IsVector(v) {
			out.Vectors[at] = v
		}
	}
}
