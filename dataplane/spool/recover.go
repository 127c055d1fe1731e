package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	currentFile = "current"
	asideDir    = "aside"
	// epochFile is where a directory of segments had its name before each epoch
	// had a directory.
	epochFile = "epoch"
	// An epoch's name is so many random bytes in hex; those of earlier versions
	// were 12.
	epochSize = 13
)

// recover finds what an earlier run has left, and begins a new epoch unless
// everything is in order.
func (s *Spool) recover() error {
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	var err error
	if s.losses, err = readLosses(s.o.Dir, time.Now(), s.o.Sync.syncs()); err != nil {
		return err
	}
	s.expireAside()
	if err := s.adopt(); err != nil {
		return err
	}
	epoch, boot := s.readCurrent()
	dirs, err := s.volumeDirs()
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		v, err := s.openVolume(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(s.losses.write(), v.keepJournal(s.o.Sync.syncs())); err != nil {
			return err
		}
		if v.epoch == epoch && boot == s.o.boot && v.damage == "" {
			s.now = v
			continue
		}
		s.old = append(s.old, v)
	}
	if s.now == nil {
		return s.newEpoch()
	}
	return nil
}

// openVolume opens a volume and reports its state.
func (s *Spool) openVolume(dir string) (*volume, error) {
	v, lost, err := openVolume(dir)
	if err != nil {
		return nil, err
	}
	if v.damage != "" {
		s.o.Log.Error("the spool is damaged; readable events are sent, and new usage events get a new epoch", slog.String("epoch", v.epoch), slog.String("damage", v.damage))
	}
	for _, span := range lost {
		s.o.Log.Error("usage events are lost", slog.String("epoch", v.epoch), slog.Uint64("first", span.First), slog.Uint64("last", span.Last))
	}
	if len(lost) == 0 {
		return v, nil
	}
	s.losses.add(v.epoch, lost)
	return v, nil
}

// volumeDirs are the directories of volumes, the oldest first.
func (s *Spool) volumeDirs() ([]string, error) {
	entries, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	type found struct {
		dir  string
		time time.Time
	}
	var list []found
	for _, e := range entries {
		if !e.IsDir() || e.Name() == asideDir {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
		list = append(list, found{filepath.Join(s.o.Dir, e.Name()), info.ModTime()})
	}
	slices.SortFunc(list, func(a, b found) int { return a.time.Compare(b.time) })
	dirs := make([]string, len(list))
	for i := range list {
		dirs[i] = list[i].dir
	}
	return dirs, nil
}

// readCurrent returns the epoch of the last run, and the machine's start it was in.
func (s *Spool) readCurrent() (epoch, boot string) {
	b, err := os.ReadFile(filepath.Join(s.o.Dir, currentFile))
	if err != nil {
		return "", ""
	}
	epoch, boot, _ = strings.Cut(strings.TrimSuffix(string(b), "\n"), " ")
	return epoch, boot
}

// newEpoch makes a volume for new events.
func (s *Spool) newEpoch() error {
	var id [epochSize]byte
	_, _ = rand.Read(id[:]) // never fails
	v := newVolume(filepath.Join(s.o.Dir, hex.EncodeToString(id[:])))
	if err := os.Mkdir(v.dir, 0o700); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	m, err := openMark(v.dir, 0)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if err := m.close(); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if v.journal, err = openJournal(v.dir, nil, s.o.Sync.syncs()); err != nil {
		return err
	}
	f, err := replaceFile(filepath.Join(s.o.Dir, currentFile), []byte(v.epoch+" "+s.o.boot+"\n"), s.o.Sync.syncs())
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.now = v
	return f.Close()
}

// adopt makes a volume of a directory of segments as earlier versions had it.
// Which of the numbers between them were committed was not kept: all that have
// no record count as done with.
func (s *Spool) adopt() error {
	b, err := os.ReadFile(filepath.Join(s.o.Dir, epochFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	v := newVolume(filepath.Join(s.o.Dir, strings.TrimSpace(string(b))))
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	paths, err := filepath.Glob(filepath.Join(s.o.Dir, "*"+extension))
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	for _, path := range paths {
		if err := os.Rename(path, filepath.Join(v.dir, filepath.Base(path))); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	if err := v.readSegments(0); err != nil {
		return err
	}
	present := v.present()
	if v.last = max(v.last, present.Highest()); v.last > 0 {
		all := Ranges{{1, v.last}}
		v.done = all.Without(present)
	}
	if v.journal, err = openJournal(v.dir, v.done, s.o.Sync.syncs()); err != nil {
		return err
	}
	m, err := openMark(v.dir, v.last)
	if err == nil {
		err = errors.Join(m.close(), v.journal.close(), os.Remove(filepath.Join(s.o.Dir, epochFile)))
	}
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// expireAside deletes damaged segments that have been kept long enough.
func (s *Spool) expireAside() {
	paths, _ := filepath.Glob(filepath.Join(s.o.Dir, asideDir, "*"+extension)) // the pattern is good
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > keepLost {
			_ = os.Remove(path) // tried again with the next start
		}
	}
}
