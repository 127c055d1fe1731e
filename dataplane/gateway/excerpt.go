package gateway

import (
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// kept is how much stays of the beginning, and of the end, of a text that is
// longer than wire.MaxContent; the rest is for the note between them.
const kept = wire.MaxContent/2 - 32

// excerpt takes in a text by parts and keeps its beginning and its end.
type excerpt struct {
	head []byte // as inner JSON
	tail []byte // as text
	left int    // bytes of text between them that are gone
}

// add takes the next part, the inside of a JSON string.
func (e *excerpt) add(inner []byte) {
	if len(e.head) < wire.MaxContent {
		e.head = append(e.head, inner...)
		return
	}
	e.tail = rawjson.AppendUnescaped(e.tail, inner)
	if gone := len(e.tail) - kept - margin; gone > kept {
		e.left += gone
		e.tail = e.tail[:copy(e.tail, e.tail[gone:])]
	}
}

// text is what is kept, at most wire.MaxContent bytes.
func (e *excerpt) text() string {
	return shorten(string(rawjson.AppendUnescaped(nil, e.head)), string(e.tail), e.left)
}

// again is an empty excerpt with the same memory.
func (e *excerpt) again() excerpt {
	return excerpt{head: api.Bounded(e.head), tail: api.Bounded(e.tail)}
}

// margin is how much more is searched for keys than is kept: of half a key
// nothing could be told.
const margin = 1 << 10

// shorten joins a text's beginning and end, between which some bytes are left out
// already, leaves out the middle if that is too long, and removes what looks like
// a key.
func shorten(head, tail string, left int) string {
	total := len(head) + len(tail) + left
	if left == 0 {
		if total <= wire.MaxContent {
			return codec.Redact(strings.ToValidUTF8(head+tail, ""))
		}
		head += tail
		tail = head
	}
	begin := codec.Redact(head[:min(kept+margin, len(head))])
	begin = strings.ToValidUTF8(begin[:min(kept, len(begin))], "")
	end := codec.Redact(tail[max(len(tail)-kept-margin, 0):])
	end = strings.ToValidUTF8(end[max(len(end)-kept, 0):], "")
	return fmt.Sprintf("%s\n[... %d bytes left out ...]\n%s", begin, total-len(begin)-len(end), end)
}
