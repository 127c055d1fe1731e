// Package spool keeps usage events in files until the collector has committed
// them to the database. An event is in the spool as soon as Append returns: a
// process that is killed loses nothing, a machine that loses its power what the
// kernel had not written yet.
package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	// defaultLimit is about two million events, defaultSegment what is deleted
	// at a time.
	defaultLimit   = 1 << 30
	defaultSegment = 8 << 20

	epochFile = "epoch"
	extension = ".seg"
)

// ErrFull says that the spool has as many bytes as it may have.
var ErrFull = errors.New("the spool is full")

// Options say where the spool is, and how large it may be.
type Options struct {
	// Dir is the spool's own directory.
	Dir string
	// Limit bounds all segments together, Segment one of them, in bytes;
	// defaults 1 GiB and 8 MiB.
	Limit, Segment int64
}

// Spool is a directory of segments. Its methods may be called concurrently.
type Spool struct {
	o     Options
	epoch string

	mu       sync.Mutex
	segments []*segment   // oldest first; the last one is written to
	file     *segmentFile // of the last one
	size     int64        // of all
	last     uint64       // the highest number there is
	done     ranges       // committed
	record   []byte
	damaged  uint64
}

// segment is one file of records with rising numbers.
type segment struct {
	path        string
	first, last uint64 // 0 while it is empty
	size        int64
}

// Open opens the spool, or makes it. What a killed process has left half
// written is cut off. Numbers go on where they were.
func Open(o Options) (*Spool, error) {
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	if o.Segment == 0 {
		o.Segment = defaultSegment
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &Spool{o: o}
	if err := s.readEpoch(); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, err
	}
	if err := s.rotate(); err != nil {
		return nil, err
	}
	return s, nil
}

// readEpoch reads the spool's name, under which its numbers are unique, or
// makes one.
func (s *Spool) readEpoch() error {
	path := filepath.Join(s.o.Dir, epochFile)
	text, err := os.ReadFile(path)
	if err == nil && len(text) > 0 {
		s.epoch = strings.TrimSpace(string(text))
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("spool: %w", err)
	}
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	s.epoch = hex.EncodeToString(id[:])
	// Whole or not at all: another name for old numbers would count them twice.
	if err := os.WriteFile(path+".new", []byte(s.epoch+"\n"), 0o600); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// Epoch is the spool's name: the numbers of its events are unique under it.
func (s *Spool) Epoch() string { return s.epoch }

// Last is the highest number in the spool, or ever committed from it.
func (s *Spool) Last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Append keeps an event under its number, which is higher than all before. The
// line may be reused when it returns.
func (s *Spool) Append(number uint64, line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record = appendRecord(s.record[:0], number, line)
	n := int64(len(s.record))
	if s.size+n > s.o.Limit {
		return ErrFull
	}
	current := s.segments[len(s.segments)-1]
	if current.size > 0 && current.size+n > s.o.Segment {
		if err := s.rotate(); err != nil {
			return err
		}
		current = s.segments[len(s.segments)-1]
	}
	if err := s.file.append(s.record); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if current.first == 0 {
		current.first = number
	}
	current.last, s.last = number, number
	current.size += n
	s.size += n
	return nil
}

// rotate begins a new segment.
func (s *Spool) rotate() error {
	path := filepath.Join(s.o.Dir, fmt.Sprintf("%020d%s", s.last+1, extension))
	f, err := createFile(path, s.o.Segment)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if s.file != nil {
		_ = s.file.close() // what was to be kept is there; the rest is room
	}
	s.file = f
	s.segments = append(s.segments, &segment{path: path})
	s.sweep()
	return nil
}

// Commit takes note that events are stored for good, or given up. Segments
// that have nothing else are deleted.
func (s *Spool) Commit(first, last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first > last || last > s.last {
		return // not of this spool
	}
	s.done.add(first, last)
	s.sweep()
}

// Skip takes note that there is no event with a number, and will not be.
func (s *Spool) Skip(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done.add(number, number)
}

// sweep deletes segments, but not the one that is written to.
func (s *Spool) sweep() {
	kept := s.segments[:0]
	for i, seg := range s.segments {
		if i == len(s.segments)-1 || seg.size > 0 && !s.done.has(seg.first, seg.last) {
			kept = append(kept, seg)
			continue
		}
		if err := os.Remove(seg.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			kept = append(kept, seg) // tried again with the next commit
			continue
		}
		s.size -= seg.size
	}
	s.segments = kept
}

// Low is the lowest number that is not committed, 0 if there is none.
func (s *Spool) Low() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segments {
		if seg.size == 0 {
			continue
		}
		if low := s.done.lowest(seg.first); low <= seg.last {
			return low
		}
	}
	return 0
}

// Stats are what the spool holds.
type Stats struct {
	// Bytes of all segments, Damaged records that could not be read.
	Bytes   int64
	Damaged uint64
}

// Stats returns what the spool holds.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Bytes: s.size, Damaged: s.damaged}
}

// Close closes the spool. If everything is committed, nothing is left of it
// that would be sent again.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.file.close()
	for _, seg := range s.segments {
		if seg.size == 0 || s.done.has(seg.first, seg.last) {
			err = errors.Join(err, s.forget(seg))
		}
	}
	return err
}

// forget deletes the last segments. The highest number survives in the name of
// an empty file.
func (s *Spool) forget(seg *segment) error {
	if err := os.Remove(seg.path); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	path := filepath.Join(s.o.Dir, fmt.Sprintf("%020d%s", s.last+1, extension))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return f.Close()
}
