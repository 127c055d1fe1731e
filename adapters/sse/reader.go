// Package sse reads and writes server-sent events.
package sse

import (
	"bytes"
	"errors"
)

// MaxEvent bounds one event. Images and signatures travel inline, so it is generous.
const MaxEvent = 32 << 20

// ErrTooLarge means that an event exceeds MaxEvent.
var ErrTooLarge = errors.New("server-sent event is larger than 32 MiB")

// Event is one event. Its bytes belong to the reader and are valid until its
// next call.
type Event struct {
	// Name is the event field, nil if there was none. A line "error: ..." of
	// servers that invented that field comes as an event named error.
	Name []byte
	Data []byte
}

// Reader cuts a byte stream into events, wherever the bytes were cut. Use it
// in a loop: read into Space, Advance by what was read, take events from Next
// until there are none. The zero value is ready.
type Reader struct {
	buf  []byte
	head int // start of the unread bytes
	tail int // end of the bytes read
	seen int // bytes from head on that are known to hold no line end

	name    []byte
	data    []byte
	hasData bool
	joined  []byte // data of several lines
	isJoin  bool   // data is joined
	started bool
}

// Space returns room to read into. It invalidates events returned earlier.
func (r *Reader) Space() []byte {
	const least = 4096
	if !r.hasData && r.name == nil {
		if r.head > 0 && (r.head == r.tail || len(r.buf)-r.tail < least) {
			r.tail = copy(r.buf, r.buf[r.head:r.tail])
			r.head = 0
		}
		if len(r.buf)-r.tail < least {
			r.grow(least)
		}
		return r.buf[r.tail:]
	}
	if len(r.buf)-r.tail < least {
		r.detach()
		return r.Space()
	}
	return r.buf[r.tail:]
}

// detach moves the begun event out of the buffer, so that this can be moved.
func (r *Reader) detach() {
	name, data, hasData := bytes.Clone(r.name), r.data, r.hasData
	if !r.isJoin {
		data = bytes.Clone(data)
	}
	r.name, r.data, r.hasData = nil, nil, false
	r.tail = copy(r.buf, r.buf[r.head:r.tail])
	r.head = 0
	r.grow(4096)
	r.name, r.data, r.hasData = name, data, hasData
}

func (r *Reader) grow(n int) {
	size := max(2*len(r.buf), r.tail+n)
	buf := make([]byte, size)
	copy(buf, r.buf[:r.tail])
	r.buf = buf
}

// Advance takes note of n bytes that were read into Space.
func (r *Reader) Advance(n int) { r.tail += n }

// Next returns the next complete event; false means that more bytes are
// needed. Comments and empty events are passed over.
func (r *Reader) Next() (Event, bool, error) {
	for {
		line, ok := r.line()
		if !ok {
			if r.tail-r.head > MaxEvent || len(r.data) > MaxEvent {
				return Event{}, false, ErrTooLarge
			}
			return Event{}, false, nil
		}
		if ev, ok := r.take(line); ok {
			return ev, true, nil
		}
	}
}

// End returns an event that the stream's end left without its blank line.
func (r *Reader) End() (Event, bool) {
	if r.tail > r.head {
		line := bytes.TrimSuffix(r.buf[r.head:r.tail], []byte("\r"))
		r.head, r.seen = r.tail, 0
		if ev, ok := r.take(line); ok {
			return ev, true
		}
	}
	return r.dispatch()
}

// line returns the next line without its end.
func (r *Reader) line() ([]byte, bool) {
	i := bytes.IndexByte(r.buf[r.head+r.seen:r.tail], '\n')
	if i < 0 {
		r.seen = r.tail - r.head
		return nil, false
	}
	end := r.head + r.seen + i
	line := r.buf[r.head:end]
	r.head, r.seen = end+1, 0
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if !r.started {
		r.started = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	return line, true
}

// take interprets a line; a blank one ends the event.
func (r *Reader) take(line []byte) (Event, bool) {
	if len(line) == 0 {
		return r.dispatch()
	}
	field, value, found := bytes.Cut(line, []byte(":"))
	if len(field) == 0 && found {
		return Event{}, false // a comment
	}
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "data":
		r.addData(value)
	case "event":
		r.name = value
	case "error":
		r.name = field
		r.addData(value)
	}
	return Event{}, false
}

func (r *Reader) addData(value []byte) {
	if !r.hasData {
		r.data, r.hasData = value, true
		return
	}
	if !r.isJoin {
		r.joined = append(r.joined[:0], r.data...)
		r.isJoin = true
	}
	r.joined = append(append(r.joined, '\n'), value...)
	r.data = r.joined
}

// dispatch ends the begun event. One without data is none.
func (r *Reader) dispatch() (Event, bool) {
	ev := Event{Name: r.name, Data: r.data}
	r.name, r.data, r.hasData, r.isJoin = nil, nil, false, false
	return ev, len(ev.Data) > 0
}
