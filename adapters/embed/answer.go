package embed

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Answer is a provider's answer to a request.
type Answer struct {
	// Vectors are in the order of the inputs, each a raw array of numbers or a
	// literal of packed float32 values, as the provider sent it.
	Vectors [][]byte
	Usage   chat.Usage
}

// Reset empties the answer for n inputs and keeps its memory.
func (a *Answer) Reset(n int) {
	vectors := a.Vectors[:0]
	for range n {
		vectors = append(vectors, nil)
	}
	*a = Answer{Vectors: vectors}
}

// Complete reports whether every input has its vector.
func (a *Answer) Complete() bool {
	for _, v := range a.Vectors {
		if v == nil {
			return false
		}
	}
	return len(a.Vectors) > 0
}

// Append appends the API's list of embeddings. usage is the raw object to
// report, nil for plain token counts. The error is an Unavailable fault: the
// provider sent something that is no vector.
func (a *Answer) Append(dst []byte, model string, packed bool, usage []byte) ([]byte, error) {
	dst = append(dst, `{"object":"list","data":[`...)
	for i, v := range a.Vectors {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"object":"embedding","index":`...), int64(i), 10)
		var err error
		if dst, err = AppendVector(append(dst, `,"embedding":`...), v, packed); err != nil {
			return dst, err
		}
		dst = append(dst, '}')
	}
	dst = rawjson.AppendString(append(dst, `],"model":`...), model)
	dst = append(dst, `,"usage":`...)
	if usage != nil {
		return append(append(dst, usage...), '}'), nil
	}
	dst = strconv.AppendInt(append(dst, `{"prompt_tokens":`...), a.Usage.Prompt, 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), a.Usage.Prompt, 10)
	return append(dst, "}}"...), nil
}
