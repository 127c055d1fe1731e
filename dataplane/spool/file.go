package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// segmentFile is the file that records are appended to. Where mapFile can map
// it, an append is a copy into the page cache, which outlives the process as
// what write(2) puts there does, without the system call, which costs more than
// all the rest of an event. Elsewhere, or when the disk has no room for a
// complete segment, it is written.
type segmentFile struct {
	f      *os.File
	mapped []byte // nil: written
	size   int64
}

// createFile makes an empty file with room for size bytes, if it can be had.
func createFile(path string, size int64) (*segmentFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	s := &segmentFile{f: f}
	if s.mapped = mapFile(f, size); s.mapped == nil {
		if err := f.Truncate(0); err != nil { // what was allocated, too
			return nil, errors.Join(err, f.Close())
		}
	}
	return s, nil
}

// append adds a record. The first word of it, its length, is written last: a
// process that is killed in between leaves a length of 0.
func (s *segmentFile) append(record []byte) error {
	if s.mapped != nil && s.size+int64(len(record)) <= int64(len(s.mapped)) {
		at := s.mapped[s.size:]
		copy(at[lengthSize:], record[lengthSize:])
		binary.LittleEndian.PutUint32(at, binary.LittleEndian.Uint32(record))
		s.size += int64(len(record))
		return nil
	}
	if _, err := s.f.WriteAt(record, s.size); err != nil {
		return errors.Join(err, s.cut()) // half a record must not stay in front of the next
	}
	s.size += int64(len(record))
	return nil
}

// cut ends the file with the last complete record.
func (s *segmentFile) cut() error {
	if s.mapped != nil {
		if err := unix.Munmap(s.mapped); err != nil {
			return fmt.Errorf("unmap: %w", err)
		}
		s.mapped = nil
	}
	return s.f.Truncate(s.size)
}

// sync returns when the records are on the disk. A file that is closed already
// was written before.
func (s *segmentFile) sync() error { return syncData(s.f) }

// close gives back the room that was not used.
func (s *segmentFile) close() error { return errors.Join(s.cut(), s.f.Close()) }
