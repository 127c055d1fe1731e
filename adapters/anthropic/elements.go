package anthropic

import (
	"iter"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// elements yields the raw elements of an array, and nothing of any other value.
func elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var c rawjson.Cursor
		c.Reset(raw)
		if !c.Array() {
			return
		}
		for c.Elem() {
			if !yield(c.Raw()) {
				return
			}
		}
	}
}

// members yields the names and raw values of an object's members.
func members(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, val []byte) bool) {
		var c rawjson.Cursor
		c.Reset(raw)
		if !c.Object() {
			return
		}
		for key, ok := c.Key(); ok; key, ok = c.Key() {
			if !yield(key, c.Raw()) {
				return
			}
		}
	}
}
