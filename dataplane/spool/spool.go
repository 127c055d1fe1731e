// Package spool keeps usage events in files until the collector has committed
// them to the database. An event is in the spool as soon as Append returns: a
// process that is killed loses nothing, a machine that loses its power what the
// kernel had not written yet (see Sync). Damage to the files costs the events
// that cannot be read, and is never passed over: which they are is known, since
// the highest number that was issued and the numbers that are done with are
// kept apart from the events.
package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

const (
	// DefaultLimit is about two million events.
	DefaultLimit = 1 << 30
	// MinLimit is the lowest limit, in bytes.
	MinLimit = 1 << 20
	// A segment is what is deleted at a time: the limit divided by
	// segmentsLeast, at most largestSegment.
	segmentsLeast  = 8
	largestSegment = 8 << 20
)

// ErrFull says that the spool has as many bytes as it may have.
var ErrFull = errors.New("the spool is full")

// Options say where the spool is, and how large it may be.
type Options struct {
	// Dir is the spool's own directory.
	Dir string
	// Limit bounds all segments together, in bytes; 0 is DefaultLimit, and less
	// than MinLimit is an error.
	Limit int64
	// Sync is when events are written to the disk; "" is SyncNever.
	Sync Sync
	// Log is told of damage; required.
	Log *slog.Logger

	segment int64 // size of one, by Limit
	boot    string
}

// Spool is a directory of volumes, one for each epoch that has events left. Its
// methods may be called concurrently.
type Spool struct {
	o      Options
	keeper *keeper

	mu     sync.Mutex
	old    []*volume // of earlier epochs
	now    *volume   // takes new events
	file   *segmentFile
	mark   *mark
	losses *losses
	record []byte
}

// Open opens the spool, or makes it. Numbers go on where they were, or begin
// anew under another epoch if anything was wrong with the files.
func Open(o Options) (*Spool, error) {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	if o.Limit < MinLimit {
		return nil, fmt.Errorf("spool: a limit of %d bytes is too low: at least %d", o.Limit, MinLimit)
	}
	if err := o.Sync.check(); err != nil {
		return nil, err
	}
	if o.segment == 0 {
		o.segment = min(o.Limit/segmentsLeast, largestSegment)
	}
	if o.boot == "" {
		o.boot = bootID()
	}
	s := &Spool{o: o}
	if err := s.recover(); err != nil {
		return nil, err
	}
	var err error
	if s.mark, err = openMark(s.now.dir, s.now.last); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s.keeper = startKeeper(s)
	s.sweep()
	if err := s.rotate(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Epoch names the numbers that new events get: they are unique under it.
func (s *Spool) Epoch() string { return s.now.epoch }

// Last is the highest number that was issued in the epoch.
func (s *Spool) Last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.last
}

// Append keeps an event under its number, which is higher than all before, and
// takes note that the number was issued also if there is an error. The line may
// be reused when it returns.
func (s *Spool) Append(number uint64, line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.append(number, line)
	s.now.last = number
	if failed := s.mark.set(number); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

// Flush returns when the event with a number is on the disk, with SyncAlways; at
// once otherwise.
func (s *Spool) Flush(number uint64) error {
	if s.o.Sync != SyncAlways {
		return nil
	}
	return s.keeper.await(number)
}

func (s *Spool) append(number uint64, line []byte) error {
	s.record = appendRecord(s.record[:0], s.now.seed, number, line)
	n := int64(len(s.record))
	current := s.current()
	full := s.size()+n > s.o.Limit
	if current.size > 0 && (current.size+n > s.o.segment || full && current.over(s.now.done)) {
		if err := s.rotate(); err != nil {
			return err
		}
		current, full = s.current(), s.size()+n > s.o.Limit
	}
	if full {
		return ErrFull
	}
	if err := s.file.append(s.record); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	current.numbers.Add(number, number)
	current.size += n
	s.now.size += n
	if half := s.o.segment / 2; current.size > half && current.size-n <= half {
		s.keeper.prepare()
	}
	return nil
}

// current is the segment that is written to, nil when there is none.
func (s *Spool) current() *segment {
	if s.file == nil {
		return nil
	}
	return s.now.segments[len(s.now.segments)-1]
}

func (s *Spool) size() (n int64) {
	for _, v := range s.old {
		n += v.size
	}
	return n + s.now.size
}

// rotate begins a new segment.
func (s *Spool) rotate() error {
	path := filepath.Join(s.now.dir, fmt.Sprintf("%020d%s", s.now.last+1, extension))
	f := s.keeper.take(path)
	if f == nil {
		var err error
		if f, err = createFile(path, s.o.segment); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	if s.file != nil {
		if err := s.keeper.retire(s.file); err != nil {
			return errors.Join(err, f.close())
		}
	}
	s.file = f
	s.now.segments = append(s.now.segments, &segment{path: path})
	s.sweep()
	return nil
}

// Commit takes note that events of an epoch are stored for good. Segments that
// have nothing else are deleted.
func (s *Spool) Commit(epoch string, first, last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.volume(epoch)
	if first == 0 || first > last || v != nil && last > v.last {
		return // not of this spool
	}
	s.losses.found(epoch, first, last)
	err := s.losses.write()
	if err == nil && v != nil {
		err = v.settle(first, last)
	}
	if err != nil {
		s.o.Log.Error("failed to record committed events; their files are kept, and a restart sends them again", slog.String("error", err.Error()))
		return
	}
	s.sweep()
}

// Lose takes note that an event was issued and is lost: neither the spool nor
// memory has room for it.
func (s *Spool) Lose(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose(s.now, Ranges{{number, number}})
}

// lose does not write anything: a request may wait for it, and the next start
// finds out what is missing.
func (s *Spool) lose(v *volume, lost Ranges) {
	s.losses.add(v.epoch, lost)
	for _, span := range lost {
		v.done.Add(span.First, span.Last)
	}
}

// volume returns that of an epoch, nil if nothing is left of it.
func (s *Spool) volume(epoch string) *volume {
	if epoch == s.now.epoch {
		return s.now
	}
	for _, v := range s.old {
		if v.epoch == epoch {
			return v
		}
	}
	return nil
}

// sweep deletes what nothing is needed from any more.
func (s *Spool) sweep() {
	aside := filepath.Join(s.o.Dir, asideDir)
	s.now.sweep(aside, s.current())
	left := s.old[:0]
	for _, v := range s.old {
		v.sweep(aside, nil)
		if !v.over() || !v.journal.settled(v.done) {
			left = append(left, v)
			continue
		}
		if err := v.remove(); err != nil {
			s.o.Log.Warn("a directory of the spool cannot be removed", slog.String("error", err.Error()))
		}
	}
	s.old = left
}

// Position is a place in the spool. The zero value is nowhere.
type Position struct {
	Epoch  string
	Number uint64
}

// Low is the oldest event that is not done with, the zero value if there is none.
func (s *Spool) Low() Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range append(slices.Clip(s.old), s.now) {
		if n := v.low(); n > 0 {
			return Position{v.epoch, n}
		}
	}
	return Position{}
}

// Pending are the events that are issued and not done with, by epoch.
func (s *Spool) Pending() map[string]Ranges {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]Ranges{s.now.epoch: s.now.pending()}
	for _, v := range s.old {
		out[v.epoch] = v.pending()
	}
	return out
}

// Lost are the events that were lost within the last days, the oldest first.
func (s *Spool) Lost() []Loss {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Loss(nil), s.losses.list...)
}

// Bytes is the size of all events in the spool.
func (s *Spool) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size()
}

// Close closes the spool. What is not committed stays for the next start.
func (s *Spool) Close() error {
	err := errors.Join(s.finish(), s.keeper.stop())
	for _, v := range append(slices.Clip(s.old), s.now) {
		err = errors.Join(err, v.journal.close())
	}
	return errors.Join(err, s.mark.close())
}

// finish gives up the segment that is written to.
func (s *Spool) finish() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		err = s.keeper.retire(s.file)
		s.file = nil
	}
	s.sweep()
	return errors.Join(err, s.losses.write())
}

func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return string(b[:max(0, len(b)-1)])
}
