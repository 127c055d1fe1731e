package spool

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	extension = ".seg"
	// plausible is how far behind the highest number that is known there may be
	// others, if a power cut has kept the older state of one file and not of another.
	plausible = 1 << 24
)

// volume is the directory of one epoch: its numbers are unique. New events go
// to the newest one only. The others have what an earlier run has left there.
type volume struct {
	dir, epoch string
	seed       uint32     // of the epoch
	segments   []*segment // by number; of the newest volume the last one is written to
	journal    *journal
	done       Ranges // stored for good, given up, or never there
	last       uint64 // the highest number that was issued
	size       int64  // of all segments
	// damage says what was found, "" if everything was in order.
	damage string
}

// segment is one file of records with rising numbers.
type segment struct {
	path    string
	numbers Ranges
	size    int64 // of what may have records
	damaged bool
}

func newVolume(dir string) *volume {
	epoch := filepath.Base(dir)
	return &volume{dir: dir, epoch: epoch, seed: seedOf(epoch)}
}

// openVolume finds out what is in a directory, and what is not there any more
// although it was issued: that is returned.
func openVolume(dir string) (v *volume, lost Ranges, err error) {
	v = newVolume(dir)
	found := func(what string) {
		if v.damage == "" {
			v.damage = what
		}
	}
	var ok bool
	if v.last, ok = readMark(dir); !ok {
		found("the highest number is not readable")
	}
	if v.done, ok = readJournal(dir); !ok {
		found("the journal is missing")
	}
	highest := uint64(0)
	if v.damage == "" {
		highest = v.last + plausible
	}
	if err := v.readSegments(highest); err != nil {
		return nil, nil, err
	}
	present := v.present()
	v.last = max(v.last, v.done.Highest(), present.Highest())
	if v.last > 0 {
		issued := Ranges{{1, v.last}}
		missing := issued.Without(v.done)
		lost = missing.Without(present)
	}
	for _, seg := range v.segments {
		if seg.damaged {
			found(filepath.Base(seg.path) + " has bytes that are not a record")
		}
	}
	if len(lost) > 0 {
		found("events are missing")
	}
	if v.damage != "" { // what seems to be room may have been records
		for _, seg := range v.segments {
			seg.damaged = seg.damaged || len(seg.numbers) == 0 && seg.size > 0
		}
	}
	for _, s := range lost {
		v.done.Add(s.First, s.Last)
	}
	return v, lost, nil
}

// keepJournal writes down what is done with, what is lost included.
func (v *volume) keepJournal(sync bool) (err error) {
	v.journal, err = openJournal(v.dir, v.done, sync)
	return err
}

// readSegments scans the files.
func (v *volume) readSegments(highest uint64) error {
	paths, err := filepath.Glob(filepath.Join(v.dir, "*"+extension))
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	for _, path := range paths {
		from, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), extension), 10, 64)
		if err != nil {
			return fmt.Errorf("spool: %s is not a segment", path)
		}
		if from > 0 {
			v.last = max(v.last, from-1) // what it is named after may be gone
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
		seg := scanSegment(scanner{data: b, seed: v.seed, highest: highest})
		seg.path = path
		v.size += seg.size
		v.segments = append(v.segments, seg)
	}
	// by what is in them: names may be swapped
	slices.SortFunc(v.segments, func(a, b *segment) int {
		return cmp.Or(cmp.Compare(a.numbers.Lowest(), b.numbers.Lowest()), strings.Compare(a.path, b.path))
	})
	return nil
}

// scanSegment finds out what is in a file.
func scanSegment(s scanner) *segment {
	seg := &segment{size: int64(len(s.data))}
	for {
		number, _, ok := s.next()
		if !ok {
			break
		}
		if number > seg.numbers.Highest() {
			seg.numbers.Add(number, number)
		}
	}
	seg.damaged = s.skipped > 0
	if len(seg.numbers) > 0 {
		seg.size = int64(s.at) // a torn tail was never issued
	}
	return seg
}

// present is what a reader finds, which goes through the segments once.
func (v *volume) present() (all Ranges) {
	for _, seg := range v.segments {
		for _, s := range seg.numbers.Within(all.Highest()+1, seg.numbers.Highest()) {
			all.Add(s.First, s.Last)
		}
	}
	return all
}

// pending is what is issued and not done with.
func (v *volume) pending() Ranges {
	if v.last == 0 {
		return nil
	}
	issued := Ranges{{1, v.last}}
	return issued.Without(v.done)
}

// low is the lowest number that is not done with, 0 if there is none.
func (v *volume) low() uint64 {
	n := uint64(1)
	if len(v.done) > 0 && v.done[0].First == 1 {
		n = v.done[0].Last + 1
	}
	if n > v.last {
		return 0
	}
	return n
}

// settle takes note of numbers that are done with.
func (v *volume) settle(first, last uint64) error {
	if v.done.Has(first, last) {
		return nil
	}
	v.done.Add(first, last)
	return v.journal.add(v.done, first, last)
}

// sweep deletes the segments from which nothing is needed any more. Damaged ones
// go to another directory.
func (v *volume) sweep(aside string, keep *segment) {
	v.segments = slices.DeleteFunc(v.segments, func(seg *segment) bool {
		if seg == keep || !seg.over(v.done) || !v.journal.settled(v.done) || seg.remove(aside, v.epoch) != nil {
			return false // what fails is tried again with the next commit
		}
		v.size -= seg.size
		return true
	})
}

// over reports whether nothing is needed from a segment.
func (seg *segment) over(done Ranges) bool {
	for _, s := range seg.numbers {
		if !done.Has(s.First, s.Last) {
			return false
		}
	}
	return true
}

// remove deletes the file, or keeps it aside if it is damaged.
func (seg *segment) remove(aside, epoch string) error {
	if !seg.damaged {
		if err := os.Remove(seg.path); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return err
	}
	return os.Rename(seg.path, filepath.Join(aside, epoch+"-"+filepath.Base(seg.path)))
}

// over reports whether nothing is needed from an old volume.
func (v *volume) over() bool { return len(v.segments) == 0 && v.low() == 0 }

// remove deletes the directory of a volume that is over.
func (v *volume) remove() error { return errors.Join(v.journal.close(), os.RemoveAll(v.dir)) }
