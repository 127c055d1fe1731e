package eventstream

import (
	"encoding/binary"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// kinds are the headers that say what a frame is.
type kinds struct{ message, event, exception, code, text []byte }

// read reads the headers of a frame. Those that are not known are passed over.
func read(b []byte) (kinds, error) {
	var k kinds
	for len(b) > 0 {
		n := int(b[0])
		if len(b) < n+2 {
			return k, ErrFrame
		}
		name, kind := b[1:1+n], b[1+n]
		value, rest, ok := value(kind, b[n+2:])
		if !ok {
			return k, ErrFrame
		}
		b = rest
		switch string(name) {
		case ":message-type":
			k.message = value
		case ":event-type":
			k.event = value
		case ":exception-type":
			k.exception = value
		case ":error-code":
			k.code = value
		case ":error-message":
			k.text = value
		}
	}
	return k, nil
}

// value takes a header's value of a type off b.
func value(kind byte, b []byte) (val, rest []byte, ok bool) {
	const bytesType, stringType = 6, 7
	sizes := [...]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
	var n int
	switch {
	case kind == bytesType || kind == stringType:
		if len(b) < 2 {
			return nil, nil, false
		}
		n, b = int(binary.BigEndian.Uint16(b)), b[2:]
	case int(kind) < len(sizes):
		n = sizes[kind]
	default:
		return nil, nil, false
	}
	if len(b) < n {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

func appendMessage(dst, text []byte) []byte {
	return append(rawjson.AppendString(append(dst, `{"message":`...), text), '}')
}
