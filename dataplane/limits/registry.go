package limits

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// Registry has a node's counters. Its clock is the time since it was made.
type Registry struct {
	instance uint64
	tick     atomic.Uint64
	// outage is set while no one grants.
	outage atomic.Bool
	// answered is closed by the next reply, and replaced.
	answered atomic.Pointer[chan struct{}]
	// kick asks for a report at once.
	kick chan struct{}

	mu       sync.Mutex
	counters map[uint64]*Counter
	active   []*Counter
	build    uint64
	seq      uint64
	epoch    uint64
	lastSent time.Duration
	heard    time.Duration // when the last reply was taken
	whole    bool          // the next report has all counters: the daemon may have given this node up
}

// NewRegistry returns an empty registry. The instance differs for every start.
func NewRegistry(instance uint64) *Registry {
	r := &Registry{instance: instance, counters: map[uint64]*Counter{}, kick: make(chan struct{}, 1)}
	r.answered.Store(new(make(chan struct{})))
	return r
}

// Kick has a channel that gets something when a report should be sent at once.
func (r *Registry) Kick() <-chan struct{} { return r.kick }

// Begin starts to collect the counters of a new table of limits.
func (r *Registry) Begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.build++
}

// Counter returns the counter of a holder's limit, which outlives tables.
func (r *Registry) Counter(holder, id string, l *wire.Limit) *Counter {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := l.Counter(holder, id)
	c := r.counters[key]
	if c == nil {
		c = &Counter{id: key, holder: holder, holderID: id, span: l.Span()}
		c.ends.Store(never)
		r.counters[key] = c
	}
	c.kept = r.build
	before := c.limit.Swap(new(*l))
	if before != nil && before.Value != l.Value {
		switch {
		case l.Value > before.Value:
			// the daemon gives more
		case r.outage.Load() && l.Outage() == wire.OutageShare:
			c.scale(l.Value, before.Value)
		default:
			c.giveBack()
		}
		c.void = r.seq // an answer that is on its way is one to the limit before
		c.dry.Store(false)
		if c.active.Load() {
			r.report()
		}
	}
	return c
}

// End drops the counters that the table since Begin has not named.
func (r *Registry) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.counters, func(_ uint64, c *Counter) bool { return c.kept != r.build })
	r.active = slices.DeleteFunc(r.active, func(c *Counter) bool { return c.kept != r.build })
}

// Turn lets what has left its window be used again. It is to be called at least
// every quantum; to be late only keeps things longer.
func (r *Registry) Turn(now time.Duration) {
	tick := uint64(now / quantum) //nolint:gosec // an uptime
	if tick <= r.tick.Load() {
		return
	}
	r.tick.Store(tick)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.active {
		c.turn(tick)
	}
}

// activate has a counter reported from now on.
func (r *Registry) activate(c *Counter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.active.Load() || r.counters[c.id] != c {
		return
	}
	if c.span == wire.Sliding {
		c.mu.Lock()
		if c.ring.Load() == nil {
			c.ring.Store(&ring{})
		}
		c.tick = r.tick.Load()
		c.mu.Unlock()
	}
	c.active.Store(true)
	r.active = append(r.active, c)
}

// report asks for a report at once.
func (r *Registry) report() {
	select {
	case r.kick <- struct{}{}:
	default: // it is asked for already
	}
}

// retire drops a counter that has nothing left and needs nothing; r.mu is held.
// What was used of a calendar period stays with it.
func (r *Registry) retire(c *Counter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left.Load() != 0 || c.share != 0 && c.span != wire.Calendar || c.rate.average != 0 || c.rate.pending != 0 || c.asked.Load() != 0 || c.waiting.Load() != 0 {
		return false
	}
	c.active.Store(false)
	if c.need.Load() != 0 { // came in between
		c.active.Store(true)
		return false
	}
	c.ring.Store(nil)
	c.rate, c.last = rate{}, lastReport{}
	return true
}

// Failed notes that a report got no answer.
func (r *Registry) Failed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outage.Store(true)
	r.whole = true
}

// Outage reports whether no one grants at the moment.
func (r *Registry) Outage() bool { return r.outage.Load() }
