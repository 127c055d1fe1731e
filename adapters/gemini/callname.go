package gemini

import (
	"bytes"
	"hash/fnv"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// callNames makes ids for the calls of an answer that come without one, as
// they do before the third generation. An id is made of the answer's own and a
// counter, so that it is unique in a conversation and the same each time the
// same answer is decoded.
type callNames struct {
	answer []byte
	count  int
}

// append appends the next id as a literal. chunk is the response object that
// the call is in.
func (n *callNames) append(dst, chunk []byte) []byte {
	if n.answer == nil {
		n.answer = answerName(chunk)
	}
	dst = append(append(append(dst, `"call_`...), n.answer...), '_')
	dst = strconv.AppendInt(dst, int64(n.count), 10)
	n.count++
	return append(dst, '"')
}

// answerName returns the answer's id, or a hash if that would make ids longer
// or stranger than other APIs take them.
func answerName(chunk []byte) []byte {
	const longest = 28 // of 40, less "call_" and a counter
	id := rawjson.Inner(chat.Member(chunk, "responseId"))
	if len(id) > 0 && len(id) <= longest && !bytes.ContainsFunc(id, notInID) {
		return bytes.Clone(id)
	}
	h := fnv.New64a()
	_, _ = h.Write(chunk) // never fails
	return strconv.AppendUint(nil, h.Sum64(), 16)
}

func notInID(r rune) bool {
	return r != '_' && r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
}
