package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

const (
	// An entry is a range (two numbers of 8 bytes) and its checksum (4).
	entrySize = 20
	// compactAt is the size at which a journal is written anew.
	compactAt = 64 << 10
)

// journalFiles are two copies of one journal, of which a damaged entry in one
// is good in the other.
func journalFiles() [2]string { return [2]string{"done.1", "done.2"} }

// journal keeps which numbers are done with: stored for good, or given up. It
// is written before a segment is deleted: without it nothing would tell a
// segment that was deleted from one that disappeared.
type journal struct {
	dir  string
	sync bool
	f    [2]*os.File
	// behind: a range is in neither copy; unsynced: a power cut may take one.
	behind, unsynced bool
	size             int
	buf              []byte
}

// readJournal returns the ranges of a directory's journal; false if both copies
// are gone.
func readJournal(dir string) (done Ranges, ok bool) {
	for _, name := range journalFiles() {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		ok = true
		for ; len(b) >= entrySize; b = b[entrySize:] {
			first, last := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
			if crc32.Checksum(b[:16], table()) == binary.LittleEndian.Uint32(b[16:]) && first > 0 && first <= last && last+1 > last {
				done.Add(first, last)
			}
		}
	}
	return done, ok
}

// openJournal writes a journal anew and opens it.
func openJournal(dir string, done Ranges, sync bool) (*journal, error) {
	j := &journal{dir: dir, sync: sync}
	return j, j.rewrite(done)
}

// add appends a range. What could be written of one only in part is written anew:
// entries behind half of one would not be found.
func (j *journal) add(done Ranges, first, last uint64) error {
	if j.behind || j.size >= compactAt {
		return j.rewrite(done)
	}
	j.buf = appendEntry(j.buf[:0], first, last)
	j.size += len(j.buf)
	_, err1 := j.f[0].Write(j.buf)
	_, err2 := j.f[1].Write(j.buf)
	if err1 != nil || err2 != nil {
		return j.rewrite(done)
	}
	j.unsynced = true
	return nil
}

// settled reports whether the files have what is done with, as they must before a
// segment is deleted: its events would count as lost.
func (j *journal) settled(done Ranges) bool {
	if j.behind && j.rewrite(done) != nil {
		return false // tried again with the next commit
	}
	if !j.sync || !j.unsynced {
		return true
	}
	if errors.Join(syncData(j.f[0]), syncData(j.f[1])) != nil {
		return false
	}
	j.unsynced = false
	return true
}

func appendEntry(b []byte, first, last uint64) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint64(b, first)
	b = binary.LittleEndian.AppendUint64(b, last)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[at:], table()))
}

// rewrite replaces both copies, one after the other.
func (j *journal) rewrite(done Ranges) error {
	j.behind = true
	j.buf = j.buf[:0]
	for _, s := range done {
		j.buf = appendEntry(j.buf, s.First, s.Last)
	}
	for i, name := range journalFiles() {
		path := filepath.Join(j.dir, name)
		f, err := replaceFile(path, j.buf, j.sync)
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
		if j.f[i] != nil {
			_ = j.f[i].Close() // it is replaced
		}
		j.f[i] = f
	}
	j.size = len(j.buf)
	j.behind, j.unsynced = false, false
	return nil
}

// replaceFile puts a file in the place of another: complete, or not at all. It
// stays open for appending. sync is for power cuts.
func replaceFile(path string, content []byte, sync bool) (*os.File, error) {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(content); err == nil && sync {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (j *journal) close() error { return errors.Join(j.f[0].Close(), j.f[1].Close()) }
