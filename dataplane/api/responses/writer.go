package responses

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// writer writes a canonical request.
type writer struct {
	dst []byte
	// mark is where the members begin.
	mark int
}

func (w *writer) put(text string) { w.dst = append(w.dst, text...) }

func (w *writer) raw(raw []byte) { w.dst = append(w.dst, raw...) }

func (w *writer) comma(needed bool) {
	if needed {
		w.put(`,`)
	}
}

// member begins a member of the request.
func (w *writer) member(name string) {
	w.comma(len(w.dst) > w.mark)
	w.put(`"` + name + `":`)
}

// copy writes a member, unless it is absent.
func (w *writer) copy(name string, val []byte) {
	if val != nil {
		w.member(name)
		w.raw(val)
	}
}

// sibling writes a further member of the open object, unless it is absent.
func (w *writer) sibling(name string, val []byte) {
	if !rawjson.IsNull(val) {
		w.put(`,"` + name + `":`)
		w.raw(val)
	}
}

func kindOf(object []byte) string { return string(rawjson.Inner(chat.Member(object, "type"))) }

// isText reports whether raw is a string with something in it.
func isText(raw []byte) bool { return len(raw) > 2 && raw[0] == '"' }

// isString reports whether raw is a string.
func isString(raw []byte) bool { return len(raw) > 0 && raw[0] == '"' }
