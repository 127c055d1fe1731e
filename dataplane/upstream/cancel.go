package upstream

import (
	"context"
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

// Attach has Fire break off what two others have open, until Detach. They may be
// fired by themselves.
func (c *Cancel) Attach(a, b *Cancel) {
	if !c.arm(both{a, b}) {
		a.Fire()
		b.Fire()
	}
}

// Detach ends what Attach has begun: the others are not fired afterwards.
func (c *Cancel) Detach() { c.disarm() }

// both are two exchanges that are broken off together.
type both [2]*Cancel

func (b both) abort() {
	b[0].Fire()
	b[1].Fire()
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
func (c *Cancel) Sleep(d time.Duration) bool { return c.Wait(d, nil) }

// Wait waits for d, or until ready has something; false if Fire broke it off.
func (c *Cancel) Wait(d time.Duration, ready <-chan struct{}) bool {
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
	case <-ready:
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

// Context returns a context that ends with Fire or after wait. The caller
// calls stop when it is done with it.
func (c *Cancel) Context(wait time.Duration) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithTimeout(context.Background(), wait) //nolint:forbidigo // the request's life is bound to Cancel
	if !c.arm(canceler(cancel)) {
		cancel()
		return ctx, cancel
	}
	return ctx, func() {
		c.disarm()
		cancel()
	}
}

// canceler is the exchange of a request that waits for something with a context.
type canceler context.CancelFunc

func (c canceler) abort() { c() }
