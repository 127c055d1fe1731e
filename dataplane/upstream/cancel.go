package upstream

import (
	"sync"
	"time"
)

// Cancel lets another goroutine break off whatever exchange a request has
// open, at any moment. The zero value is ready; it serves one request.
type Cancel struct {
	mu      sync.Mutex
	fired   bool
	current aborter
}

type aborter interface{ abort() }

// Fire breaks off the current exchange and every later one. It may be called
// more than once.
func (c *Cancel) Fire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fired = true
	if c.current != nil {
		c.current.abort()
	}
}

// Fired reports whether Fire was called.
func (c *Cancel) Fired() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fired
}

// arm makes a the exchange to break off; false if it is too late.
func (c *Cancel) arm(a aborter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fired {
		return false
	}
	c.current = a
	return true
}

// disarm waits for a running abort, so that none hits a connection that is in
// the pool again.
func (c *Cancel) disarm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = nil
}

// Sleep waits for d; false if Fire broke it off.
func (c *Cancel) Sleep(d time.Duration) bool {
	w := make(waker, 1)
	if !c.arm(w) {
		return false
	}
	defer c.disarm()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w:
		return false
	}
}

// waker is the exchange of a request that waits.
type waker chan struct{}

func (w waker) abort() {
	select {
	case w <- struct{}{}:
	default: // it is awake
	}
}
