package rawjson

import "iter"

// Elements yields the raw elements of an array, and nothing of any other value.
func Elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var c Cursor
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

// Members yields the names, as written, and raw values of an object's members,
// and nothing of any other value.
func Members(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, val []byte) bool) {
		var c Cursor
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
