package openai

import (
	"github.com/hybridinference/gateway/shared/rawjson"
)

// appendMember appends ,"key":value, without the comma where there is one or
// the object begins. The key is spelled as inside a literal.
func appendMember[T ~string | ~[]byte](dst []byte, key T, value []byte) []byte {
	if last := dst[len(dst)-1]; last != '{' && last != ',' {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), key...), '"', ':')
	return append(dst, value...)
}

// appendWith copies an object with one member set to value, or left out if
// value is nil.
func appendWith(dst, obj []byte, name string, value []byte) []byte {
	var c rawjson.Cursor
	c.Reset(obj)
	c.Object()
	dst = append(dst, '{')
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		if member := c.Raw(); string(key) != name {
			dst = appendMember(dst, key, member)
		}
	}
	if value != nil {
		dst = appendMember(dst, name, value)
	}
	return append(dst, '}')
}
