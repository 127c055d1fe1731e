// Package canonical writes the canonical form of a request, for the client
// languages that have to translate theirs.
package canonical

import (
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Writer writes a request. The zero value writes a part of one into a buffer of
// its own.
type Writer struct {
	// Buf is what has been written.
	Buf []byte
	// start is where the members begin.
	start int
}

// NewWriter returns a writer that has opened an object at the end of dst.
func NewWriter(dst []byte) Writer { return Writer{Buf: append(dst, '{'), start: len(dst) + 1} }

// Put writes JSON text.
func (w *Writer) Put(text string) { w.Buf = append(w.Buf, text...) }

// Raw writes JSON.
func (w *Writer) Raw(raw []byte) { w.Buf = append(w.Buf, raw...) }

// Comma writes a comma if one is needed.
func (w *Writer) Comma(needed bool) {
	if needed {
		w.Put(`,`)
	}
}

// Member begins a member of the request.
func (w *Writer) Member(name string) {
	w.Comma(len(w.Buf) > w.start)
	w.Put(`"` + name + `":`)
}

// Copy writes a member, unless it is absent.
func (w *Writer) Copy(name string, val []byte) {
	if val != nil {
		w.Member(name)
		w.Raw(val)
	}
}

// Sibling writes a further member of the open object, unless it is absent.
func (w *Writer) Sibling(name string, val []byte) {
	if !rawjson.IsNull(val) {
		w.Put(`,"` + name + `":`)
		w.Raw(val)
	}
}

// IsText reports whether raw is a string that is not empty.
func IsText(raw []byte) bool { return len(raw) > 2 && raw[0] == '"' }

// IsString reports whether raw is a string.
func IsString(raw []byte) bool { return len(raw) > 0 && raw[0] == '"' }
