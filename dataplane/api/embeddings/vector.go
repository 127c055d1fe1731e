package embeddings

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// appendVector appends a vector in the wanted encoding: packed little-endian
// float32 values as a base64 literal, or an array of numbers. A vector that
// has that encoding already is copied.
func appendVector(dst, raw []byte, packed bool) ([]byte, error) {
	switch {
	case len(raw) == 0:
		return dst, malformed()
	case raw[0] == '[' && packed:
		return pack(dst, raw)
	case raw[0] == '"' && !packed:
		return unpack(dst, raw)
	}
	return append(dst, raw...), nil
}

func pack(dst, array []byte) ([]byte, error) {
	var bin []byte
	var c rawjson.Cursor
	c.Reset(array)
	for c.Array(); c.Elem(); {
		f, ok := rawjson.Float(c.Raw())
		if !ok || math.Abs(f) > math.MaxFloat32 {
			return dst, malformed()
		}
		bin = binary.LittleEndian.AppendUint32(bin, math.Float32bits(float32(f)))
	}
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), bin)
	return append(dst, '"'), nil
}

func unpack(dst, literal []byte) ([]byte, error) {
	bin, err := base64.StdEncoding.AppendDecode(nil, rawjson.Unquote(nil, literal))
	if err != nil || len(bin)%4 != 0 {
		return dst, malformed()
	}
	dst = append(dst, '[')
	for i := 0; i < len(bin); i += 4 {
		f := float64(math.Float32frombits(binary.LittleEndian.Uint32(bin[i:])))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return dst, malformed()
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendFloat(dst, f, 'g', -1, 32)
	}
	return append(dst, ']'), nil
}

func malformed() error {
	return fault.New(fault.Unavailable, "The upstream's answer has a malformed vector")
}
