// Package eventstream reads application/vnd.amazon.eventstream: binary frames
// of headers and a payload, each with two checksums.
package eventstream

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/hybridinference/gateway/adapters/sse"
)

const (
	preludeLen = 12 // two lengths and their checksum
	crcLen     = 4
	// maxFrame bounds one frame; AWS' own limit is 24 MiB.
	maxFrame = 24 << 20
	// Exception is in front of the names of events that are errors.
	Exception = "exception:"
)

// Faults of the framing. What follows one cannot be read.
var (
	ErrTooLarge = errors.New("event stream frame is larger than 24 MiB")
	ErrFrame    = errors.New("event stream frame is malformed")
	ErrChecksum = errors.New("event stream frame has a wrong checksum")
)

// Reader cuts a byte stream into frames, wherever the bytes were cut. It is
// used like sse.Reader, and gives its events: the name is the event's type, or
// that of an exception behind the word Exception. The zero value is ready.
type Reader struct {
	buf        []byte
	head, tail int
	name       []byte
	err        error
}

// Space returns room to read into. It invalidates events returned earlier.
func (r *Reader) Space() []byte {
	const least = 4096
	if r.head > 0 {
		r.tail = copy(r.buf, r.buf[r.head:r.tail])
		r.head = 0
	}
	if len(r.buf)-r.tail < least {
		grown := make([]byte, max(2*len(r.buf), 2*least))
		copy(grown, r.buf[:r.tail])
		r.buf = grown
	}
	return r.buf[r.tail:]
}

// Advance takes note of n bytes that were read into Space.
func (r *Reader) Advance(n int) { r.tail += n }

// Next returns the next complete frame; false means that more bytes are needed.
// An error is final.
func (r *Reader) Next() (sse.Event, bool, error) {
	if r.err != nil {
		return sse.Event{}, false, r.err
	}
	ev, ok, err := r.next()
	r.err = err
	return ev, ok, err
}

func (r *Reader) next() (sse.Event, bool, error) {
	b := r.buf[r.head:r.tail]
	if len(b) < preludeLen {
		return sse.Event{}, false, nil
	}
	total, headers := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	switch {
	case crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]):
		return sse.Event{}, false, ErrChecksum
	case total > maxFrame:
		return sse.Event{}, false, ErrTooLarge
	case total < preludeLen+crcLen || headers > total-preludeLen-crcLen:
		return sse.Event{}, false, ErrFrame
	case len(b) < int(total):
		return sse.Event{}, false, nil
	}
	frame := b[:total]
	end := len(frame) - crcLen
	if crc32.ChecksumIEEE(frame[:end]) != binary.BigEndian.Uint32(frame[end:]) {
		return sse.Event{}, false, ErrChecksum
	}
	r.head += int(total)
	data := frame[preludeLen+headers : end]
	kinds, err := read(frame[preludeLen : preludeLen+headers])
	if err != nil {
		return sse.Event{}, false, err
	}
	switch string(kinds.message) {
	case "exception":
		r.name = append(append(r.name[:0], Exception...), kinds.exception...)
	case "error": // of the protocol; its text is in a header
		r.name = append(append(r.name[:0], Exception...), kinds.code...)
		data = appendMessage(nil, kinds.text)
	default:
		r.name = append(r.name[:0], kinds.event...)
	}
	return sse.Event{Name: r.name, Data: data}, true, nil
}

// End returns an event that the stream's end left unfinished: none, since a
// frame is complete or worth nothing.
func (r *Reader) End() (sse.Event, bool) { return sse.Event{}, false }
