package eventstream_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/hybridinference/gateway/adapters/eventstream"
)

// frame appends a frame with headers that are texts, in pairs of name and value.
func frame(dst, payload []byte, headers ...string) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, 12)...)
	for i := 0; i+1 < len(headers); i += 2 {
		dst = append(append(dst, byte(len(headers[i]))), headers[i]...)
		dst = binary.BigEndian.AppendUint16(append(dst, 7), uint16(len(headers[i+1])))
		dst = append(dst, headers[i+1]...)
	}
	head := dst[start:]
	binary.BigEndian.PutUint32(head, uint32(len(head)+len(payload)+4))
	binary.BigEndian.PutUint32(head[4:], uint32(len(head)-12))
	binary.BigEndian.PutUint32(head[8:], crc32.ChecksumIEEE(head[:8]))
	dst = append(dst, payload...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}

// read feeds a stream in two pieces and returns the events as text.
func read(stream []byte, cut int) (out []string, err error) {
	var r eventstream.Reader
	for _, piece := range [][]byte{stream[:cut], stream[cut:]} {
		for len(piece) > 0 {
			n := copy(r.Space(), piece)
			r.Advance(n)
			piece = piece[n:]
			for {
				ev, ok, err := r.Next()
				if err != nil {
					return out, err
				}
				if !ok {
					break
				}
				out = append(out, string(ev.Name)+" "+string(ev.Data))
			}
		}
	}
	return out, nil
}

func sample() []byte {
	b := frame(nil, []byte(`{"a":1}`), ":message-type", "event", ":event-type", "metadata", "x", "")
	b = frame(b, nil, ":message-type", "event", ":event-type", "empty")
	b = frame(b, bytes.Repeat([]byte("y"), 9000), ":message-type", "exception", ":exception-type", "throttlingException")
	return frame(b, nil, ":message-type", "error", ":error-code", "Internal", ":error-message", `a "b"`)
}

func TestEveryCut(t *testing.T) {
	want := []string{`metadata {"a":1}`, "empty ", "exception:throttlingException " + string(bytes.Repeat([]byte("y"), 9000)), `exception:Internal {"message":"a \"b\""}`}
	stream := sample()
	for cut := range stream {
		if got, err := read(stream, cut); err != nil || !slices.Equal(got, want) {
			t.Fatalf("cut at %d: %q (%v)", cut, got, err)
		}
	}
}

// TestEveryByteIsChecked: a bit that flipped anywhere is found, or leaves the
// reader waiting for bytes that do not come; it never changes an event.
func TestEveryByteIsChecked(t *testing.T) {
	stream := frame(nil, []byte(`{"a":1}`), ":message-type", "event", ":event-type", "metadata")
	for i := range stream {
		bad := bytes.Clone(stream)
		bad[i] ^= 4
		if got, err := read(bad, 0); !errors.Is(err, eventstream.ErrChecksum) || len(got) > 0 {
			t.Errorf("byte %d: %q, %v", i, got, err)
		}
	}
}

// TestSmallestFrame is AWS' own example: no headers and no payload.
func TestSmallestFrame(t *testing.T) {
	empty := []byte{0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff}
	if got, err := read(empty, 5); err != nil || !slices.Equal(got, []string{" "}) {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(sample(), 7)
	f.Add([]byte{0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff}, 3)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		cut = min(max(cut, 0), len(stream))
		whole, err := read(stream, 0)
		pieces, err2 := read(stream, cut)
		if !slices.Equal(whole, pieces) || !errors.Is(err2, err) {
			t.Fatalf("%q %v, in pieces %q %v", whole, err, pieces, err2)
		}
	})
}
