package database

import (
	"errors"
	"sync"
	"time"
)

// ErrFull is a database that answers and has no room for what is written.
var ErrFull = errors.New("the database is full")

// errUnwritable is a database whose disk fails.
var errUnwritable = errors.New("the database cannot be written")

const (
	// probeEvery is how often Ping writes at most; otherwise it reads.
	probeEvery = 30 * time.Second
	// fullFor is how long a database counts as full after a write has failed for
	// want of room: small writes, as the probe's, may still fit.
	fullFor = 5 * time.Minute
)

// condition remembers whether a database takes writes, from those that were made.
type condition struct {
	mu     sync.Mutex
	err    error
	since  time.Time
	probed time.Time
	// small: even the probe's write did not fit.
	small bool
}

// due reports, once in probeEvery, that a write should be tried.
func (c *condition) due(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.probed) < probeEvery {
		return false
	}
	c.probed = now
	return true
}

// wrote takes note of how a write has ended.
func (c *condition) wrote(err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wroteLocked(err, now)
}

func (c *condition) wroteLocked(err error, now time.Time) {
	if err == nil {
		c.err = nil
		return
	}
	for _, class := range []error{ErrReadOnly, ErrFull, errUnwritable} {
		if errors.Is(err, class) {
			c.err, c.since, c.small = err, now, false
		}
	}
}

// tried takes note of how the probe's write has ended.
func (c *condition) tried(err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && errors.Is(c.nowLocked(now), ErrFull) && !c.small {
		return
	}
	c.wroteLocked(err, now)
	c.small = err != nil
}

// now is why writes fail, nil if they do not.
func (c *condition) now(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nowLocked(now)
}

func (c *condition) nowLocked(now time.Time) error {
	if errors.Is(c.err, ErrFull) && now.Sub(c.since) > fullFor {
		c.err = nil
	}
	return c.err
}
