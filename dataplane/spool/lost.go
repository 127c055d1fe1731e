package spool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	lostFile = "lost"
	// keepLost is how long losses and damaged segments are kept.
	keepLost = 7 * 24 * time.Hour
)

// Loss is a range of events that are lost.
type Loss struct {
	Time  time.Time `json:"time"`
	Epoch string    `json:"epoch"`
	First uint64    `json:"first"`
	Last  uint64    `json:"last"`
}

// losses are what is lost, as one JSON document a line in a file: it is told
// for some days, also after a restart.
type losses struct {
	path  string
	sync  bool
	list  []Loss
	dirty bool // the file has less
}

// readLosses reads the file; a line that is not readable is passed over.
func readLosses(dir string, now time.Time, sync bool) (*losses, error) {
	l := &losses{path: filepath.Join(dir, lostFile), sync: sync}
	b, err := os.ReadFile(l.path)
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("spool: %w", err)
	}
	for line := range bytes.Lines(b) {
		var one Loss
		if json.Unmarshal(line, &one) == nil && one.First > 0 && one.First <= one.Last && now.Sub(one.Time) < keepLost {
			l.list = append(l.list, one)
		}
	}
	return l, nil
}

// of returns what is lost of an epoch.
func (l *losses) of(epoch string) (lost Ranges) {
	for _, one := range l.list {
		if one.Epoch == epoch {
			lost.Add(one.First, one.Last)
		}
	}
	return lost
}

// add takes note of a loss. It is not in the file yet.
func (l *losses) add(epoch string, lost Ranges) {
	before := l.of(epoch)
	for _, s := range lost.Without(before) {
		l.dirty = true
		if n := len(l.list); n > 0 && l.list[n-1].Epoch == epoch && l.list[n-1].Last+1 == s.First {
			l.list[n-1].Last = s.Last
			continue
		}
		l.list = append(l.list, Loss{time.Now().UTC(), epoch, s.First, s.Last})
	}
}

// found takes back a loss: the events are stored after all.
func (l *losses) found(epoch string, first, last uint64) {
	var list []Loss
	for _, one := range l.list {
		left := Ranges{{one.First, one.Last}}
		if one.Epoch == epoch {
			left.Remove(first, last)
		}
		for _, s := range left {
			one.First, one.Last = s.First, s.Last
			list = append(list, one)
		}
	}
	if !slices.Equal(list, l.list) {
		l.list, l.dirty = list, true
	}
}

// write brings the file up to date. That has to be done before the journal says
// that there is nothing to wait for.
func (l *losses) write() error {
	if !l.dirty {
		return nil
	}
	var b []byte
	for _, one := range l.list {
		line, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
		b = append(append(b, line...), '\n')
	}
	f, err := replaceFile(l.path, b, l.sync)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	l.dirty = false
	return f.Close()
}
