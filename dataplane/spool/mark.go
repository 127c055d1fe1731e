package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	markFile = "issued"
	markSize = 4096
	// A slot is a number and its complement. There are two, so that a process
	// that is killed while it writes one has the other.
	slotSize  = 16
	otherSlot = markSize / 2
)

// mark keeps the highest number that was ever issued, whether or not its event
// could be kept: what is missing below it is known to be lost.
type mark struct {
	f      *os.File
	mapped []byte // nil: written
}

// readMark returns the number in a mark, false if it is damaged.
func readMark(dir string) (uint64, bool) {
	b, err := os.ReadFile(filepath.Join(dir, markFile))
	if err != nil {
		return 0, false
	}
	n, ok := uint64(0), false
	for _, at := range []int{0, otherSlot} {
		if len(b) < at+slotSize {
			continue
		}
		if one := binary.LittleEndian.Uint64(b[at:]); one == ^binary.LittleEndian.Uint64(b[at+8:]) {
			n, ok = max(n, one), true
		}
	}
	return n, ok
}

// openMark opens a mark, or makes it, and sets it.
func openMark(dir string, n uint64) (*mark, error) {
	f, err := os.OpenFile(filepath.Join(dir, markFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	m := &mark{f: f, mapped: mapFile(f, markSize)}
	if err := m.set(n); err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

func (m *mark) set(n uint64) error {
	if m.mapped == nil {
		var slot [slotSize]byte
		putSlot(slot[:], n)
		_, err := m.f.WriteAt(slot[:], 0)
		if err == nil {
			_, err = m.f.WriteAt(slot[:], otherSlot)
		}
		return err
	}
	putSlot(m.mapped, n)
	putSlot(m.mapped[otherSlot:], n)
	return nil
}

func putSlot(b []byte, n uint64) {
	binary.LittleEndian.PutUint64(b, n)
	binary.LittleEndian.PutUint64(b[8:], ^n)
}

func (m *mark) sync() error { return syncData(m.f) }

func (m *mark) close() (err error) {
	if m.mapped != nil {
		if err = unix.Munmap(m.mapped); err != nil {
			err = fmt.Errorf("unmap: %w", err)
		}
		m.mapped = nil
	}
	return errors.Join(err, m.f.Close())
}
