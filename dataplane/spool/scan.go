package spool

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// A record is its body's length (4 bytes), the checksum of all that follows
// (4), the number (8), and the body; little-endian. The checksum begins with that
// of the epoch: a segment of another epoch or another node has no records here.
const (
	header     = 16
	lengthSize = 4
	// longest is more than any event has; a greater length is damage.
	longest = 16 << 20
)

func table() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // it is made once

// seedOf is where the checksums of an epoch's records begin. Epochs of earlier
// versions, whose names have another length, begin at 0.
func seedOf(epoch string) uint32 {
	if len(epoch) != 2*epochSize {
		return 0
	}
	return crc32.Checksum([]byte(epoch), table())
}

func appendRecord(dst []byte, seed uint32, number uint64, body []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, number)
	dst = append(dst, body...)
	at := len(dst) - len(body) - 8
	binary.LittleEndian.PutUint32(dst[at-4:], crc32.Update(seed, table(), dst[at:]))
	return dst
}

// scanner finds the records in a segment's bytes, whatever has happened to
// them: after damage it continues at the next header whose checksum fits.
type scanner struct {
	data []byte
	seed uint32 // of the epoch
	at   int    // behind the last record
	// skipped counts bytes between records that are none.
	skipped int
	// highest is the highest number that a record can have, 0 for any. It keeps
	// the search from checking the sum of much that is no record.
	highest uint64
}

// next returns the next record, false if there is none. The body is part of
// the data.
func (s *scanner) next() (number uint64, body []byte, ok bool) {
	for at := s.at; ; {
		number, body, ok = s.record(at)
		if ok {
			s.skipped += at - s.at
			s.at = at + header + len(body)
			return number, body, true
		}
		if at = s.candidate(at + 1); at < 0 {
			return 0, nil, false
		}
	}
}

// record returns the record at a place, if one is there.
func (s *scanner) record(at int) (number uint64, body []byte, ok bool) {
	if at+header > len(s.data) {
		return 0, nil, false
	}
	b := s.data[at:]
	n := int(binary.LittleEndian.Uint32(b))
	number = binary.LittleEndian.Uint64(b[8:])
	if n == 0 || n > longest || n > len(b)-header || number == 0 || number == math.MaxUint64 || s.highest > 0 && number > s.highest {
		return 0, nil, false
	}
	if crc32.Update(s.seed, table(), b[8:header+n]) != binary.LittleEndian.Uint32(b[lengthSize:]) {
		return 0, nil, false
	}
	return number, b[header : header+n], true
}

// candidate returns the next place where a record may begin, -1 if there is
// none: a length is not 0, so that pages of zeros are passed at once.
func (s *scanner) candidate(from int) int {
	for i := from; i < len(s.data); i++ {
		if s.data[i] == 0 {
			continue
		}
		return max(from, i-lengthSize+1)
	}
	return -1
}
