package requestlog

import (
	"encoding/binary"
	"math"
)

// Parameters travel as binary arrays, written here and not by pgx, whose codecs
// take an interface value per element: 1.8 µs a row instead of 7.3, and no
// allocation per value instead of 47 a row.

// pgType is what the array of a column looks like on the wire and in SQL.
type pgType struct {
	array, element uint32 // OIDs, fixed since PostgreSQL 9.4
	sql            string
}

func (k kind) postgres() pgType {
	switch k {
	case kindText:
		return pgType{1009, 25, "text[]"}
	case kindFloat:
		return pgType{1022, 701, "float8[]"}
	case kindBool:
		return pgType{1000, 16, "bool[]"}
	case kindJSON:
		return pgType{3807, 3802, "jsonb[]"}
	case kindSecond, kindMicro:
		return pgType{1185, 1184, "timestamptz[]"}
	case kindInt, kindMoney:
	}
	return pgType{1016, 20, "int8[]"}
}

const arrayHeader = 20

// newPGArray starts an array of length elements: number of dimensions, flag for
// NULLs, element type, length, lower bound, each four bytes.
func newPGArray(buf []byte, element uint32, length int) []byte {
	buf = binary.BigEndian.AppendUint32(buf[:0], 1)
	buf = binary.BigEndian.AppendUint32(buf, 1)
	buf = binary.BigEndian.AppendUint32(buf, element)
	buf = binary.BigEndian.AppendUint32(buf, uint32(length))
	return binary.BigEndian.AppendUint32(buf, 1)
}

// appendPG appends c as an element: its length, -1 for NULL, and its bytes.
func (c cell) appendPG(buf []byte) []byte {
	// PostgreSQL counts time from the year 2000
	const epochSeconds = 946684800
	if c.null {
		return binary.BigEndian.AppendUint32(buf, math.MaxUint32)
	}
	switch c.kind {
	case kindText:
		return append(binary.BigEndian.AppendUint32(buf, uint32(len(c.text))), c.text...)
	case kindJSON:
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(c.raw)+1))
		return append(append(buf, 1), c.raw...) // jsonb's format version
	case kindBool:
		return append(binary.BigEndian.AppendUint32(buf, 1), byte(c.num))
	case kindFloat:
		return appendPG64(buf, math.Float64bits(c.float))
	case kindSecond:
		return appendPG64(buf, uint64((c.num-epochSeconds)*1e6))
	case kindMicro:
		return appendPG64(buf, uint64(c.num-epochSeconds*1e6))
	case kindInt, kindMoney:
	}
	return appendPG64(buf, uint64(c.num))
}

func appendPG64(buf []byte, v uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(buf, 8), v)
}
