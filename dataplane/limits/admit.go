package limits

import (
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// grantTime is how long a request may wait for a grant.
const grantTime = 50 * time.Millisecond

// Need is what a request takes at most, as far as that can be known.
type Need struct {
	// Tokens are those of the prompt and of the completion.
	Tokens int64
	// Cost is in pico-dollars.
	Cost int64
}

// of is what a request takes of a kind of limit.
func (n *Need) of(kind string) int64 {
	switch kind {
	case wire.LimitTPM, wire.LimitTPD:
		return n.Tokens
	case wire.LimitBudget:
		return n.Cost
	default:
		return 1
	}
}

// Hold is what one request has taken. The zero value holds nothing.
type Hold struct{ list []held }

type held struct {
	counter *Counter
	amount  int64
	slot    uint64
}

// Refusal says which limit refused a request.
type Refusal struct {
	Limit *wire.Limit
	// Holder is one of wire's Holder constants, ID that holder's.
	Holder, ID string
	// Retry is when the same request may succeed, 0 if that is not known.
	Retry time.Duration
	// Left is what the node has left of the limit.
	Left int64
	// Outage says that it was refused because no daemon grants, or not in time.
	Outage bool
}

// Clock is the registry's time.
type Clock struct{ began time.Time }

// NewClock starts a clock.
func NewClock() Clock { return Clock{time.Now()} }

// Now is the time since the start.
func (c Clock) Now() time.Duration { return time.Since(c.began) }

// try takes of each counter what the request needs, of all or of none, and
// returns the one that has too little.
func (r *Registry) try(list []*Counter, need *Need, now time.Duration, h *Hold) *Counter {
	start := len(h.list)
	for _, c := range list {
		limit := c.limit.Load()
		n := need.of(limit.Kind)
		slot, ok := c.take(r, now, n)
		if !ok {
			r.lacks(c, n)
			if !r.outage.Load() || limit.Outage() != wire.OutageOpen {
				h.back(r, start)
				return c
			}
			slot = c.force(r, n)
		}
		h.list = append(h.list, held{c, n, slot})
	}
	for i := range h.list[start:] {
		t := &h.list[start+i]
		t.counter.asked.Add(t.amount)
	}
	return nil
}

// lacks notes that a counter had no room for n, and has it reported.
func (r *Registry) lacks(c *Counter, n int64) {
	c.lacks(n)
	if !c.active.Load() {
		r.activate(c)
	}
}

// wait returns when a reply has come, or after d. The daemon learns how much all
// requests that wait need of each of their limits: else it would grant what one
// of them needs at a time, of one limit after the other.
func (r *Registry) wait(list []*Counter, need *Need, answered <-chan struct{}, d time.Duration) {
	for _, c := range list {
		n := need.of(c.limit.Load().Kind)
		if c.waiting.Add(n) > c.left.Load() {
			r.lacks(c, n)
		}
	}
	r.report()
	wait := time.NewTimer(d)
	select {
	case <-answered:
	case <-wait.C:
	}
	wait.Stop()
	for _, c := range list {
		c.waiting.Add(-need.of(c.limit.Load().Kind))
	}
}

// Admit takes of each counter what the request needs, of all or of none. Where a
// share is too small it waits a moment for more of it.
func (r *Registry) Admit(list []*Counter, need *Need, clock Clock, h *Hold) *Refusal {
	now := clock.Now()
	until := now + grantTime
	var lacking *Counter // the last one that had too little
	var grown uint64     // how often its share had grown, when it was first seen to
	for {
		answered := *r.answered.Load()
		c := r.try(list, need, now, h)
		if c == nil {
			return nil
		}
		if now = clock.Now(); now >= until || r.outage.Load() || c.dry.Load() {
			return r.refuse(c, need, now, c == lacking && c.grown.Load() != grown)
		}
		if c != lacking {
			lacking, grown = c, c.grown.Load()
		}
		r.wait(list, need, answered, until-now)
		now = clock.Now()
	}
}

// refuse counts and describes a refusal. grown says that the daemon has granted
// more meanwhile, which others took.
func (r *Registry) refuse(c *Counter, need *Need, now time.Duration, grown bool) *Refusal {
	c.refused.Add(1)
	c.asked.Add(need.of(c.limit.Load().Kind))
	dry := c.dry.Load()
	if !dry {
		r.report()
	}
	out := &Refusal{Limit: c.Limit(), Holder: c.holder, ID: c.holderID, Left: max(0, c.left.Load())}
	if c.span == wire.Calendar { // what is spent of a period stays so, whoever grants
		out.Outage = !dry
	} else {
		out.Outage = r.outage.Load() || !dry && !grown
	}
	if !out.Outage || c.span != wire.Calendar { // else more may be there long before the period ends
		out.Retry = c.wait(now, need.of(out.Limit.Kind))
	}
	return out
}

// back gives back what was taken since start, unused.
func (h *Hold) back(r *Registry, start int) {
	for i := range h.list[start:] {
		t := &h.list[start+i]
		t.counter.settle(r, t.slot, t.amount, 0)
	}
	h.list = h.list[:start]
}

// Empty reports whether nothing is held.
func (h *Hold) Empty() bool { return len(h.list) == 0 }

// Release gives back everything, unused.
func (h *Hold) Release(r *Registry) { h.back(r, 0) }

// Settle replaces what was taken by what the request has really used. What is in
// flight stays so until Release. count says of a limit for one model or provider
// whether the request counts for it; nil is always.
func (h *Hold) Settle(r *Registry, used *Need, count func(*wire.Limit) bool) {
	kept := h.list[:0]
	for i := range h.list {
		t := h.list[i]
		if t.counter.span == wire.InFlight {
			kept = append(kept, t)
			continue
		}
		limit, actual := t.counter.Limit(), int64(0)
		if count == nil || limit.Model == "" && limit.Provider == "" || count(limit) {
			actual = used.of(limit.Kind)
		}
		t.counter.settle(r, t.slot, t.amount, actual)
	}
	clear(h.list[len(kept):])
	h.list = kept
}

// TryNow does what Admit does without waiting.
func (r *Registry) TryNow(list []*Counter, need *Need, now time.Duration, h *Hold) *Refusal {
	if c := r.try(list, need, now, h); c != nil {
		return r.refuse(c, need, now, false)
	}
	return nil
}
