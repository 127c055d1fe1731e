package limits

import (
	"slices"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// reportEvery is how often what has changed is told.
	reportEvery = time.Second
	// shortEvery is how often it is asked for more while a share is short.
	shortEvery = quantum
	// restEvery is how often a counter is told of that has not changed.
	restEvery = 10 * time.Second
	// demandPeriod is what a demand of a calendar period is for.
	demandPeriod = 10 * time.Second
	// silence is after how long without a report the process must have stood still.
	silence = 3 * reportEvery
)

// Report returns what is to be told now, nil for nothing. bye is the last one.
func (r *Registry) Report(now time.Duration, bye bool) *wire.LeaseReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep := &wire.LeaseReport{Instance: r.instance, Epoch: r.epoch, Bye: bye}
	whole := bye || r.whole || now-r.lastSent > silence
	for _, c := range r.active {
		if use, ok := c.report(now, whole, bye); ok {
			rep.Uses = append(rep.Uses, use)
		}
	}
	alive := len(r.active) > 0 && now-r.lastSent >= reportEvery // the daemon has to know
	if len(rep.Uses) == 0 && !alive && !bye {
		return nil
	}
	if r.epoch != 0 {
		rep.Heard = max(time.Millisecond, now-r.heard)
	}
	r.seq++
	rep.Seq = r.seq
	r.lastSent = now
	return rep
}

// report returns what a counter has to tell, if it has.
func (c *Counter) report(now time.Duration, whole, bye bool) (use wire.LeaseUse, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate.sample(now, c.asked.Swap(0))
	used := max(0, c.used())
	if bye { // nothing is taken any more
		c.share = used
		c.left.Store(0)
	}
	demand := c.demand(used)
	short := c.need.Load() > 0 || c.unmet() > 0 || c.left.Load() < c.ahead(demand)/2 || int64(now) >= c.ends.Load()
	changed := used != c.last.used || demand != c.last.demand || c.share != 0 && demand == 0
	since := now - c.last.at
	switch {
	case whole, c.recalled > 0, !c.last.sent, short && !c.dry.Load(), short && since >= shortEvery, changed && since >= reportEvery, since >= restEvery:
	case c.closes() && since >= reportEvery:
	default:
		return use, false
	}
	c.recalled = max(0, c.recalled-1)
	c.last = lastReport{at: now, used: used, demand: demand, sent: true}
	c.refusals += c.refused.Swap(0)
	use = wire.LeaseUse{
		Counter: c.id, Period: c.period.Load(), Held: max(c.share, used), Used: used, Demand: demand, Need: c.need.Swap(0), Refused: c.refusals,
	}
	if ring := c.ring.Load(); ring != nil && used > 0 {
		use.Freed = max(time.Millisecond, ring.wait(c.tick, now, 1))
	}
	return use, true
}

// closes reports whether the share ends unless it is renewed.
func (c *Counter) closes() bool { return c.span != wire.Calendar && c.ends.Load() != never }

// demand is what would be used if nothing bounded it, and at least so much that
// what the daemon grants ahead of it has room for all requests that wait; c.mu is
// held.
func (c *Counter) demand(used int64) int64 {
	unmet := c.unmet()
	switch c.span {
	case wire.InFlight:
		return used + c.refused.Load() + max(unmet, min(1, c.need.Load()))
	case wire.Calendar:
		return whole(max(c.rate.average*demandPeriod.Seconds(), float64(unmet)*wire.AheadCalendar))
	default:
		return whole(max(c.rate.average*wire.SlidingTime.Seconds(), float64(unmet)*wire.AheadSliding))
	}
}

// ahead is how much a node should have left for a demand, so that it need not ask
// for each request. The daemon uses the same.
func (c *Counter) ahead(demand int64) int64 { return wire.Ahead(c.span, demand) }

// whole rounds what is far from an overflow.
func whole(f float64) int64 {
	const most = 1 << 60
	return int64(min(f+0.5, most))
}

// Recall has counters reported at once, and again when the answer to that has
// made their shares smaller: only then may others have the rest.
func (r *Registry) Recall(counters []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range counters {
		if c := r.counters[id]; c != nil && c.active.Load() {
			c.mu.Lock()
			c.recalled = 2
			c.mu.Unlock()
		}
	}
	r.report()
}

// Apply puts the shares of a reply into force; sent is when its report was sent.
// A reply that is not to the last report, or from a daemon that another has
// succeeded, is void.
func (r *Registry) Apply(reply *wire.LeaseReply, sent, now time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reply.Seq != r.seq || reply.Epoch < r.epoch {
		return false
	}
	successor := r.epoch != 0 && reply.Epoch > r.epoch // it knows only what was kept
	r.epoch, r.heard = reply.Epoch, now
	for i := range reply.Grants {
		if c := r.counters[reply.Grants[i].Counter]; c != nil && c.active.Load() && reply.Seq != c.void {
			if c.apply(&reply.Grants[i], sent, now, reply.Valid) {
				r.report()
			}
		}
	}
	r.active = slices.DeleteFunc(r.active, r.retire)
	r.outage.Store(false)
	r.whole = successor
	close(*r.answered.Swap(new(make(chan struct{}))))
	return true
}
