package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A record is its body's length (4 bytes), the checksum of all that follows
// (4), the number (8), and the body; little-endian.
const (
	header     = 16
	lengthSize = 4
	// longest is more than any event has; a greater length is damage.
	longest = 16 << 20
)

var (
	errTorn    = errors.New("half a record")
	errDamaged = errors.New("damaged record")
)

func table() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // it is made once

func appendRecord(dst []byte, number uint64, body []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, number)
	dst = append(dst, body...)
	at := len(dst) - len(body) - 8
	binary.LittleEndian.PutUint32(dst[at-4:], crc32.Checksum(dst[at:], table()))
	return dst
}

// readRecord reads one record into buf. At the end of the file it returns
// io.EOF, in the middle of a record errTorn, and errDamaged with the size of a
// record that can be stepped over, 0 if nothing behind it can be found.
func readRecord(r *bufio.Reader, buf []byte) (number uint64, body []byte, size int64, err error) {
	var h [header]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, nil, 0, io.EOF
		}
		return 0, nil, 0, errTorn
	}
	n := int(binary.LittleEndian.Uint32(h[:]))
	if n == 0 { // no event is empty: nothing was written here yet
		return 0, nil, 0, io.EOF
	}
	if n > longest {
		return 0, nil, 0, errDamaged
	}
	buf = slices.Grow(buf[:0], n)[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return 0, nil, 0, errTorn
	}
	sum := crc32.Update(crc32.Checksum(h[8:], table()), table(), buf)
	if sum != binary.LittleEndian.Uint32(h[4:]) {
		return 0, buf, int64(header + n), errDamaged
	}
	return binary.LittleEndian.Uint64(h[8:]), buf, int64(header + n), nil
}

// recover finds the segments that are there, and what is in them.
func (s *Spool) recover() error {
	paths, err := filepath.Glob(filepath.Join(s.o.Dir, "*"+extension))
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	slices.Sort(paths)
	empty := map[string]uint64{}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), extension)
		from, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			return fmt.Errorf("spool: %s is no segment", path)
		}
		s.last = max(s.last, from-1) // what it is named after may be gone
		seg, err := s.scan(path)
		if err != nil {
			return err
		}
		if seg.size == 0 {
			empty[path] = from
			continue
		}
		s.last = max(s.last, seg.last)
		s.size += seg.size
		s.segments = append(s.segments, seg)
	}
	for path, from := range empty {
		if from > s.last {
			continue // nothing else tells where the numbers go on
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	return nil
}

// scan reads a segment. Half a record at its end is cut off: nobody was told
// that it is there.
func (s *Spool) scan(path string) (*segment, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer func() { _ = f.Close() }()
	seg, r, buf := &segment{path: path}, bufio.NewReaderSize(f, 256<<10), []byte(nil)
	for {
		number, body, size, err := readRecord(r, buf)
		buf = body
		switch {
		case err == nil:
			if seg.first == 0 {
				seg.first = number
			}
			seg.last = number
		case errors.Is(err, errDamaged) && size > 0:
			s.damaged++
		default:
			if errors.Is(err, errDamaged) {
				s.damaged++
			}
			if err := f.Truncate(seg.size); err != nil {
				return nil, fmt.Errorf("spool: %w", err)
			}
			return seg, nil
		}
		seg.size += size
	}
}
