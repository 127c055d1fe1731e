package route

import (
	"bytes"
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/rawjson"
)

const (
	// leastPrefix is the size in bytes of a beginning that is worth keeping
	// together: no cache holds less than some hundred tokens.
	leastPrefix = 1 << 10
	// openerSize bounds what counts of the user's first message. Between
	// leastPrefix and openerSize it counts in blocks, each as large as all before
	// it: text that is added at its end changes the hash twice at most.
	openerSize = 4 << 10
)

// WantsPrefix reports whether the model's endpoint depends on the Prefix of a
// request.
func (w *Constraints) WantsPrefix(m *snapshot.Model) bool {
	return w.Session == 0 && m.Affinity == snapshot.ByPrefix && len(m.Endpoints) > 1
}

// Prefix is the hash of what a conversation begins with: the tools, the system
// prompt, and the leading blocks of the user's first message. It is the same for
// all requests of a conversation, on every node. 0 is a beginning that is too
// short to be worth a cache.
func Prefix(r *chat.Request) uint64 {
	tools := r.Raw(chat.Tools)
	var opener [openerSize]byte
	user := lead(opener[:0], r.Opening.User)
	size := len(tools) + len(r.Opening.System) + len(user)
	if size < leastPrefix {
		return 0
	}
	if len(user) >= leastPrefix {
		user = user[:1<<(bits.Len(uint(len(user)))-1)]
	}
	var d xxhash.Digest
	d.Reset()
	for _, part := range [...][]byte{tools, r.Opening.System} {
		_, _ = d.Write(part) // it never fails
		_, _ = d.Write([]byte{0})
	}
	_, _ = d.Write(user)
	return max(1, d.Sum64())
}

// lead appends the beginning of a message's text to dst, up to its capacity: of
// a string, or of the parts of a list, whichever way the client writes it.
func lead(dst, content []byte) []byte {
	if len(content) == 0 {
		return dst
	}
	if content[0] != rawjson.Array {
		return appendUpTo(dst, rawjson.Inner(content))
	}
	if most := 2 * openerSize; len(content) > most {
		content = content[:most] // parsing ends there, with an error
	}
	var c rawjson.Cursor
	c.Reset(content)
	for c.Array(); c.Elem() && c.Object(); {
		for key, ok := c.Key(); ok; key, ok = c.Key() {
			known := string(key) == "type" || string(key) == "cache_control"
			c.Kind() // skips white space
			at := c.Offset()
			raw := c.Raw()
			switch {
			case known:
			case c.Err() != nil:
				return appendUpTo(dst, bytes.TrimPrefix(content[at:], []byte(`"`)))
			case raw[0] == rawjson.String:
				dst = appendUpTo(dst, rawjson.Inner(raw))
			default:
				dst = appendUpTo(dst, raw)
			}
			if len(dst) == cap(dst) {
				return dst
			}
		}
	}
	return dst
}

func appendUpTo(dst, text []byte) []byte {
	return append(dst, text[:min(len(text), cap(dst)-len(dst))]...)
}
