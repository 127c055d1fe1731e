package spool

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

// Reader reads events that are not committed, in the order of their numbers.
type Reader struct {
	s    *Spool
	next uint64 // the least number that is wanted
	file *os.File
	path string // of file
	at   int64  // how far file was read
	in   *bufio.Reader
	buf  []byte
	kept *kept
}

// kept is a record that did not fit into the last batch.
type kept struct {
	number uint64
	body   []byte
}

// Reader reads from a number on.
func (s *Spool) Reader(from uint64) *Reader { return &Reader{s: s, next: from} }

// Next returns events with consecutive numbers, up to a count and, but for the
// first, up to so many bytes; 0 for first if there are none now.
func (r *Reader) Next(events uint64, bytes int) (first, last uint64, lines []byte, err error) {
	for first == 0 || last-first+1 < events {
		number, body, err := r.record()
		if err != nil || number == 0 {
			return first, last, lines, err
		}
		if first != 0 && (number != last+1 || len(lines)+len(body) > bytes) {
			r.kept = &kept{number, append([]byte(nil), body...)}
			break
		}
		if first == 0 {
			first = number
		}
		last = number
		lines = append(lines, body...)
	}
	return first, last, lines, nil
}

// Close gives back what the reader holds.
func (r *Reader) Close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}

// record returns the next record that is wanted, the number 0 if there is none.
func (r *Reader) record() (uint64, []byte, error) {
	if k := r.kept; k != nil {
		r.kept = nil
		return k.number, k.body, nil
	}
	for {
		if r.file == nil {
			if ok, err := r.open(); err != nil || !ok {
				return 0, nil, err
			}
		}
		if r.at >= r.written() {
			if !r.finished() {
				return 0, nil, nil
			}
			r.Close()
			continue
		}
		number, body, size, err := readRecord(r.in, r.buf)
		r.buf = body
		if err != nil && size == 0 {
			return 0, nil, fmt.Errorf("spool: %s at %d: %w", r.path, r.at, err)
		}
		r.at += size
		if err == nil && number >= r.next {
			r.next = number + 1
			return number, body, nil
		}
	}
}

// open opens the first segment with a wanted number.
func (r *Reader) open() (bool, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, seg := range r.s.segments {
		if seg.size == 0 || seg.last < r.next || r.s.done.has(max(seg.first, r.next), seg.last) {
			continue
		}
		f, err := os.Open(seg.path)
		if err != nil {
			return false, fmt.Errorf("spool: %w", err)
		}
		r.file, r.path, r.at, r.in = f, seg.path, 0, bufio.NewReaderSize(bounded{r}, 256<<10)
		return true, nil
	}
	return false, nil
}

// written is how far the file may be read: whole records only.
func (r *Reader) written() int64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for _, seg := range r.s.segments {
		if seg.path == r.path {
			return seg.size
		}
	}
	return 0 // deleted meanwhile: all of it is committed
}

// finished reports whether nothing will be added to the file any more.
func (r *Reader) finished() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.s.segments[len(r.s.segments)-1].path != r.path
}

// bounded reads the file as far as it is written: behind that there may be
// room that a record will come into.
type bounded struct{ r *Reader }

func (b bounded) Read(p []byte) (int, error) {
	at, err := b.r.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	left := b.r.written() - at
	if left <= 0 {
		return 0, io.EOF
	}
	return b.r.file.Read(p[:min(int64(len(p)), left)])
}
