// Package limits is how a node keeps within the limits of keys, users, teams
// and the gateway. The daemon grants it a share of each; admission
// subtracts from the share, without a lock, an allocation or a question.
package limits

import (
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// never is a time that does not come, in nanoseconds.
const never = math.MaxInt64

// Counter is a node's share of one limit.
type Counter struct {
	id       uint64
	holder   string // one of wire's Holder constants
	holderID string
	span     wire.Span
	limit    atomic.Pointer[wire.Limit]

	// left is the share without what was used; it may be negative.
	left atomic.Int64
	// ends is until when left may be used, in nanoseconds of the registry's clock.
	ends atomic.Int64
	// period is that of the share, if it is a calendar's.
	period atomic.Uint64
	// uses of a sliding window; nil until the counter is active.
	ring atomic.Pointer[ring]

	// asked sums up what requests have taken or were refused, need is the largest
	// amount that there was no room for, and refused counts requests, since the
	// last report.
	asked, need, refused atomic.Int64
	// waiting is what the requests need that wait for a grant.
	waiting atomic.Int64
	// grown counts the daemon's answers that made the share greater.
	grown atomic.Uint64
	// dry is set while the fleet has nothing left.
	dry atomic.Bool
	// retryAt is when it may have, 0 if that is not known.
	retryAt atomic.Int64
	// active counters are in the registry's list.
	active atomic.Bool

	mu       sync.Mutex // of what follows, and of what moves between left and ring
	share    int64
	tick     uint64 // up to which the ring was turned
	rate     rate
	last     lastReport
	refusals int64  // requests that were refused, up to the last report
	kept     uint64 // the build that last had the counter
	recalled int    // reports that the daemon is to have at once
	void     uint64 // the number of the report to which an answer is void; the registry's lock is held
}

// lastReport is what a counter has told, to see whether there is news.
type lastReport struct {
	at           time.Duration
	used, demand int64
	sent         bool
}

// Limit is the limit that is counted.
func (c *Counter) Limit() *wire.Limit { return c.limit.Load() }

// Own reports whether the limit belongs to the key itself.
func (c *Counter) Own() bool { return c.holder == wire.HolderKey }

// take subtracts n, all of it or nothing.
func (c *Counter) take(r *Registry, now time.Duration, n int64) (slot uint64, ok bool) {
	if int64(now) >= c.ends.Load() {
		return 0, false
	}
	slot = c.period.Load()
	for {
		left := c.left.Load()
		if left < n {
			return 0, false
		}
		if c.left.CompareAndSwap(left, left-n) {
			break
		}
	}
	if c.span == wire.Sliding {
		slot = c.use(r, n)
	}
	return slot, true
}

// force subtracts n, whatever is left.
func (c *Counter) force(r *Registry, n int64) (slot uint64) {
	slot = c.period.Load()
	c.left.Add(-n)
	if c.span == wire.Sliding {
		slot = c.use(r, n)
	}
	return slot
}

// use notes when n was taken. The time is read after the fact: a use may count
// as later than it was, never as earlier. A counter that no table has any more
// may have no ring.
func (c *Counter) use(r *Registry, n int64) uint64 {
	slot := r.tick.Load()
	if ring := c.ring.Load(); ring != nil {
		ring.at(slot).Add(n)
	}
	return slot
}

// settle replaces an amount that was taken by what it has come to.
func (c *Counter) settle(r *Registry, slot uint64, taken, actual int64) {
	diff := actual - taken
	if diff == 0 {
		return
	}
	if diff > 0 {
		c.asked.Add(diff) // which keeps it from being retired
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if diff > 0 && !c.active.Load() { // it has been retired since
		c.mu.Unlock()
		r.activate(c)
		c.mu.Lock()
	}
	switch c.span {
	case wire.Sliding:
		if diff > 0 { // counts from now on
			c.left.Add(-diff)
			c.use(r, diff)
			return
		}
		if slot+windowTicks <= c.tick { // about to leave the window, or gone
			return
		}
		c.ring.Load().at(slot).Add(diff)
		c.left.Add(-diff)
	case wire.Calendar:
		if slot == c.period.Load() {
			c.left.Add(-diff)
		}
	case wire.InFlight:
		c.left.Add(-diff)
	}
}

// Spent reports whether the fleet has nothing left, as far as the node knows, and
// when the next request may succeed, 0 if that is not known.
func (c *Counter) Spent(now time.Duration) (retry time.Duration, ok bool) {
	if !c.dry.Load() || c.left.Load() > 0 {
		return 0, false
	}
	return c.wait(now, 1), true
}

// unmet is by how much the share is too small for the requests that wait.
func (c *Counter) unmet() int64 {
	waiting := c.waiting.Load()
	if waiting == 0 {
		return 0
	}
	return max(0, waiting-max(0, c.left.Load()))
}

// used is what counts in the window; c.mu is held.
func (c *Counter) used() int64 { return c.share - c.left.Load() }

// lacks notes that n was not to be had.
func (c *Counter) lacks(n int64) {
	for {
		need := c.need.Load()
		if n <= need || c.need.CompareAndSwap(need, n) {
			return
		}
	}
}

// turn lets what has left the window come back.
func (c *Counter) turn(tick uint64) {
	if c.span != wire.Sliding {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if tick > c.tick {
		c.left.Add(c.ring.Load().turn(c.tick, tick))
		c.tick = tick
	}
}

// apply puts a grant into force. sent is when its report was sent, valid how
// long from then on it may be used if the limit is closed. It reports whether
// the daemon is to hear of that at once.
func (c *Counter) apply(g *wire.LeaseGrant, sent, now, valid time.Duration) (again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.Period < c.period.Load() {
		return false
	}
	if g.Period > c.period.Load() {
		c.left.Store(0) // nothing is taken of the old period from here on
		c.period.Store(g.Period)
		c.share = 0
		c.left.Store(0)
	}
	ends := int64(never)
	switch {
	case g.Ends > 0:
		ends = int64(sent + g.Ends)
	case c.span != wire.Calendar && c.Limit().Outage() == wire.OutageClosed:
		ends = int64(sent + valid)
	}
	c.ends.Store(ends)
	if g.Share > c.share {
		c.grown.Add(1)
	}
	c.dry.Store(g.Dry)
	c.retryAt.Store(0)
	if g.Retry > 0 {
		c.retryAt.Store(int64(now + g.Retry))
	}
	share := min(g.Share, c.Limit().Value) // a daemon may learn of a lower limit later
	c.left.Add(share - c.share)
	c.share = share
	return c.recalled > 0
}

// giveBack ends the use of a share whose limit was lowered: the shares of all
// nodes together may be more than is left of it. The daemon says what the node
// gets of the new one.
func (c *Counter) giveBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for left := c.left.Load(); left > 0; left = c.left.Load() {
		if c.left.CompareAndSwap(left, 0) {
			c.share -= left
			return
		}
	}
}

// scale makes the share that part of itself which a lower value is of the one
// before, while no daemon grants: so the shares of all nodes stay within it.
func (c *Counter) scale(value, before int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	high, low := bits.Mul64(amount(c.share), amount(value))
	share, _ := bits.Div64(high, low, amount(before)) // a share is at most its limit
	c.left.Add(int64(share) - c.share)                //nolint:gosec // at most c.share
	c.share = int64(share)                            //nolint:gosec // likewise
}

// amount is a number that is not negative.
func amount(n int64) uint64 { return uint64(max(0, n)) } //nolint:gosec // it is not

// wait is how long it takes until n is to be had, 0 if that is not known.
func (c *Counter) wait(now time.Duration, n int64) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.span {
	case wire.Sliding:
		if c.share >= n {
			if ring := c.ring.Load(); ring != nil {
				return ring.wait(c.tick, now, n-c.left.Load())
			}
		}
	case wire.Calendar:
		if ends := c.ends.Load(); ends != never {
			return time.Duration(ends) - now
		}
		return 0
	case wire.InFlight:
	}
	return max(0, time.Duration(c.retryAt.Load())-now)
}
