package codec

import "github.com/hybridinference/gateway/adapters/chat"

// MaxEmbeddingInputs bounds the texts of one request for embeddings.
const MaxEmbeddingInputs = 4096

// Embedder is an Adapter that also makes embeddings. Authorize and Fault are
// those of the Adapter.
type Embedder interface {
	// EncodeEmbedding fills call with the provider's form of r.
	EncodeEmbedding(r *EmbeddingRequest, call *Call) error
	// DecodeEmbedding fills out, which has been reset to the number of inputs,
	// from an answer of status 200; its vectors alias body. The error is a fault.
	DecodeEmbedding(body []byte, out *EmbeddingAnswer) error
}

// EmbeddingRequest is a request for embeddings. Its spans alias the client's
// body, which must not change while the request is in use.
type EmbeddingRequest struct {
	// Input is the raw text, array of texts, or array of token ids (of one text
	// or of several); Count is how many texts that makes.
	Input []byte
	Count int
	// Base64 asks for packed vectors rather than numbers.
	Base64 bool
	// Dimensions is the wanted length of the vectors, 0 for the model's own.
	Dimensions int64
	// Fields are the members that are the provider's business, input and
	// encoding_format included and the model left out, in the order of the body,
	// without nulls.
	Fields []EmbeddingField
}

// EmbeddingField is one top-level member. Key is spelled as in the body,
// without quotes, and Value raw.
type EmbeddingField struct{ Key, Value []byte }

// EmbeddingAnswer is a provider's answer to a request for embeddings.
type EmbeddingAnswer struct {
	// Vectors are in the order of the inputs, each a raw array of numbers or a
	// literal of packed float32 values, as the provider sent it.
	Vectors [][]byte
	Usage   chat.Usage
}

// Reset empties the answer for n inputs and keeps its memory.
func (a *EmbeddingAnswer) Reset(n int) {
	vectors := a.Vectors[:0]
	for range n {
		vectors = append(vectors, nil)
	}
	*a = EmbeddingAnswer{Vectors: vectors}
}

// Complete reports whether every input has its vector.
func (a *EmbeddingAnswer) Complete() bool {
	for _, v := range a.Vectors {
		if v == nil {
			return false
		}
	}
	return len(a.Vectors) > 0
}

// IsVector reports whether raw looks like a vector in one of the two encodings.
func IsVector(raw []byte) bool { return len(raw) > 2 && (raw[0] == '[' || raw[0] == '"') }
