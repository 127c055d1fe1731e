package spool

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
)

// Batch is a run of events with consecutive numbers of one epoch.
type Batch struct {
	Epoch       string
	First, Last uint64 // 0 if there is none
	Lines       []byte
}

// Reader reads events that are not done with: those of old epochs first, each
// epoch in the order of its numbers.
type Reader struct {
	s    *Spool
	old  []*volume // to read before the newest
	next uint64    // the lowest number that is wanted of the current volume
	seg  *segment
	// data is what was read of the segment, which ends at that place in the file.
	scan scanner
	data []byte
	end  int64
	kept *kept
}

// kept is a record that did not fit into the last batch.
type kept struct {
	epoch  string
	number uint64
	body   []byte
}

// Reader reads everything.
func (s *Spool) Reader() *Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Reader{s: s, old: slices.Clone(s.old), next: 1}
}

// ReaderFrom reads the newest epoch from a number on.
func (s *Spool) ReaderFrom(number uint64) *Reader { return &Reader{s: s, next: number} }

// Next returns events, up to a count and, but for the first, up to so many
// bytes; none if there are none now. The lines are the caller's.
func (r *Reader) Next(events uint64, bytes int) (b Batch, err error) {
	for b.First == 0 || b.Last-b.First+1 < events {
		epoch, number, body, err := r.record()
		if err != nil || number == 0 {
			return b, err
		}
		if b.First != 0 && (epoch != b.Epoch || number != b.Last+1 || len(b.Lines)+len(body) > bytes) {
			r.kept = &kept{epoch, number, slices.Clone(body)}
			break
		}
		if b.First == 0 {
			b.Epoch, b.First = epoch, number
		}
		b.Last = number
		b.Lines = append(b.Lines, body...)
	}
	return b, nil
}

// volume is the current one.
func (r *Reader) volume() *volume {
	if len(r.old) > 0 {
		return r.old[0]
	}
	return r.s.now
}

// record returns the next record that is wanted, the number 0 if there is none.
func (r *Reader) record() (epoch string, number uint64, body []byte, err error) {
	if k := r.kept; k != nil {
		r.kept = nil
		return k.epoch, k.number, k.body, nil
	}
	for {
		if r.seg == nil && !r.open() {
			if len(r.old) == 0 {
				return "", 0, nil, nil
			}
			r.old, r.next = r.old[1:], 1
			continue
		}
		number, body, ok := r.scan.next()
		if ok && number < r.next {
			continue
		}
		if ok {
			r.missing(number - 1)
			r.next = number + 1
			return r.volume().epoch, number, body, nil
		}
		if more, err := r.more(); err != nil || !more {
			return "", 0, nil, err
		}
	}
}

// open goes to the first segment with a wanted number.
func (r *Reader) open() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	v := r.volume()
	for _, seg := range v.segments {
		wanted := seg.numbers.Within(r.next, seg.numbers.Highest())
		if wanted = wanted.Without(v.done); len(wanted) > 0 {
			r.seg, r.scan, r.end = seg, scanner{seed: v.seed, highest: v.last}, 0
			return true
		}
	}
	return false
}

// more reads what was written to the segment since, or leaves it; false if
// there is nothing yet.
func (r *Reader) more() (bool, error) {
	r.s.mu.Lock()
	v := r.volume()
	size, highest := r.seg.size, r.seg.numbers.Highest()
	growing := v == r.s.now && r.seg == r.s.current()
	r.scan.highest = v.last
	r.s.mu.Unlock()
	if size > r.end {
		data, err := readAt(r.seg.path, r.data, r.end, size)
		if err == nil {
			r.data, r.end = data, size
			r.scan = scanner{data: data, seed: r.scan.seed, highest: r.scan.highest}
			return true, nil
		}
		if !os.IsNotExist(err) { // else it was deleted: all of it is committed, or it disappeared
			return false, fmt.Errorf("spool: %w", err)
		}
	}
	if highest >= r.next {
		r.missing(highest)
		r.next = highest + 1
	}
	if growing {
		return false, nil
	}
	r.seg = nil
	return true, nil
}

// readAt reads a part of a file. What was cut off since is missing.
func readAt(path string, buf []byte, from, to int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	buf = slices.Grow(buf[:0], int(to-from))[:to-from]
	n, err := f.ReadAt(buf, from)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buf[:n], err
}

// missing takes note of events that are not there any more, up to a number.
func (r *Reader) missing(last uint64) {
	if r.next > last {
		return
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	v := r.volume()
	lost := r.seg.numbers.Within(r.next, last)
	if lost = lost.Without(v.done); len(lost) == 0 {
		return
	}
	r.seg.damaged = true
	for _, span := range lost {
		r.s.o.Log.Error("usage events are lost: the spool is damaged", slog.String("segment", r.seg.path), slog.String("epoch", v.epoch),
			slog.Uint64("first", span.First), slog.Uint64("last", span.Last))
	}
	r.s.lose(v, lost)
}
