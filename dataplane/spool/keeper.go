package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Sync is when events are written to the disk.
type Sync string

// The settings of Sync. Whatever it is, a process that is killed loses nothing.
const (
	SyncNever    Sync = "never"    // when the kernel sees fit: a power cut loses up to half a minute
	SyncInterval Sync = "interval" // every 100 ms: a power cut loses these
	SyncAlways   Sync = "always"   // before the answer ends, many events at once: a power cut loses nothing
)

// syncEvery is the interval of SyncInterval.
const syncEvery = 100 * time.Millisecond

func (s Sync) check() error {
	switch s {
	case "", SyncNever, SyncInterval, SyncAlways:
		return nil
	}
	return fmt.Errorf("spool: sync %q must be never, interval or always", string(s))
}

// syncs reports whether a power cut is to lose as little as possible.
func (s Sync) syncs() bool { return s == SyncInterval || s == SyncAlways }

const spareFile = "spare"

// keeper does what requests need not wait for: it makes the next segment's
// file, closes full ones, and writes to the disk.
type keeper struct {
	s    *Spool
	wake chan struct{}
	done chan struct{}
	once sync.Once

	mu      sync.Mutex
	wanted  bool
	spare   *segmentFile
	retired []*segmentFile
	err     error
	stopped bool

	// of SyncAlways
	cond    sync.Cond
	syncing bool
	synced  uint64
}

func startKeeper(s *Spool) *keeper {
	k := &keeper{s: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
	k.cond.L = &k.mu
	go k.run()
	return k
}

func (k *keeper) sparePath() string { return filepath.Join(k.s.now.dir, spareFile) }

// prepare has the next segment's file made.
func (k *keeper) prepare() {
	k.mu.Lock()
	again := k.wanted || k.stopped
	k.wanted = true
	k.mu.Unlock()
	if !again {
		k.kick()
	}
}

func (k *keeper) kick() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// take gives the file that was prepared its name, nil if there is none.
func (k *keeper) take(path string) *segmentFile {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.spare
	k.spare, k.wanted = nil, false
	if f == nil {
		return nil
	}
	if err := os.Rename(k.sparePath(), path); err != nil {
		_ = f.close() // another is made
		return nil
	}
	return f
}

// retire closes a file soon; no reader waits for its events any more.
func (k *keeper) retire(f *segmentFile) error {
	if k.s.o.Sync == SyncAlways {
		if err := f.sync(); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	k.mu.Lock()
	k.retired = append(k.retired, f)
	k.mu.Unlock()
	k.kick()
	return nil
}

func (k *keeper) run() {
	defer close(k.done)
	var tick <-chan time.Time
	if k.s.o.Sync == SyncInterval {
		ticker := time.NewTicker(syncEvery)
		defer ticker.Stop()
		tick = ticker.C
	}
	for written := uint64(0); ; {
		k.mu.Lock()
		stopped := k.stopped
		k.mu.Unlock()
		k.closeRetired()
		if stopped {
			return
		}
		k.makeSpare()
		select {
		case <-k.wake:
		case <-tick:
			written = k.syncSince(written)
		}
	}
}

func (k *keeper) makeSpare() {
	k.mu.Lock()
	needed := k.wanted && k.spare == nil
	k.mu.Unlock()
	if !needed {
		return
	}
	f, err := createFile(k.sparePath(), k.s.o.segment)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil: // the request that needs it will see
	case !k.wanted: // it was too late
		_ = errors.Join(f.close(), os.Remove(k.sparePath()))
	default:
		k.spare = f
	}
}

func (k *keeper) closeRetired() {
	k.mu.Lock()
	files := k.retired
	k.retired = nil
	k.mu.Unlock()
	for _, f := range files {
		var err error
		if k.s.o.Sync == SyncInterval {
			err = f.sync()
		}
		err = errors.Join(err, f.close())
		k.mu.Lock()
		k.err = errors.Join(k.err, err)
		k.mu.Unlock()
	}
}

// syncSince writes to the disk if there are events behind a number.
func (k *keeper) syncSince(written uint64) uint64 {
	k.s.mu.Lock()
	last, f := k.s.now.last, k.s.file
	k.s.mu.Unlock()
	if last == written || f == nil {
		return last
	}
	if err := errors.Join(f.sync(), k.s.mark.sync()); err != nil {
		k.s.o.Log.Error("usage events cannot be written to the disk", slog.String("error", err.Error()))
	}
	return last
}

// await returns when all events up to a number are on the disk. Those who wait
// at the same time wait for one write.
func (k *keeper) await(number uint64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.synced < number {
		if k.syncing {
			k.cond.Wait()
			continue
		}
		k.syncing = true
		k.mu.Unlock()
		k.s.mu.Lock()
		last, f := k.s.now.last, k.s.file
		k.s.mu.Unlock()
		err := error(nil)
		if f != nil {
			err = f.sync()
		}
		k.mu.Lock()
		k.syncing = false
		if err == nil {
			k.synced = max(k.synced, last)
		}
		k.cond.Broadcast()
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	return nil
}

// stop does what is left to do. It may be called again.
func (k *keeper) stop() error {
	k.once.Do(func() {
		k.mu.Lock()
		k.stopped = true
		k.mu.Unlock()
		k.kick()
	})
	<-k.done
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.spare != nil {
		k.err = errors.Join(k.err, k.spare.close(), os.Remove(k.sparePath()))
		k.spare = nil
	}
	return k.err
}
