// Package limits grants nodes their shares of limits. Of every limit the shares
// of all nodes together, with what nodes that are gone may have used, are at
// most its value: whatever dies, the fleet uses no more.
package limits

import (
	"sync"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// Definition is a limit and who holds it.
type Definition struct {
	wire.Limit
	// Holder is one of wire's Holder constants, ID that holder's.
	Holder, ID string
}

// Granter knows what every node holds. It does no I/O and has no clock.
type Granter struct {
	grace time.Duration
	epoch uint64

	mu       sync.Mutex
	counters map[uint64]*counter
	nodes    map[string]*node
	removed  map[string]bool  // nodes whose documents are void
	now      time.Time        // of the last report or sweep
	age      time.Duration    // of spent when it was loaded
	spent    map[uint64]entry // what was loaded for counters that are not defined yet
	unkept   []*node          // those whose document has to be kept
	recalls  map[string][]uint64
	dirty    bool      // the document of what is spent has to be kept
	before   uint64    // the epoch of the state that was loaded
	claimed  time.Time // when the daemon before was there, by that state
	learns   time.Time // until when it is found out what a lost state had
}

const (
	// forgetAfter is how long a node has to be silent before what it holds of
	// budgets counts as spent and nothing else is known of it.
	forgetAfter = 24 * time.Hour
	// ledgerLag is how long after a request its usage is in the request log at
	// the latest, as long as nothing is down.
	ledgerLag = 5 * time.Second
)

// node is one start of a node.
type node struct {
	name          string
	instance, seq uint64
	heard         time.Time
	proven        bool // it knows of this granter: no other's reply counts there
	returned      bool // it was given up, and what it held counted as spent
	silent        bool // for longer than the grace
	shares        map[uint64]*share
	refused       map[uint64]int64 // what it has refused since it started
	dirty         bool             // its document has to be kept
}

// New returns a granter that follows on state. The epoch is greater than any
// before. Nodes that are silent for longer than grace count as dead.
func New(now time.Time, epoch uint64, grace time.Duration, state State) *Granter {
	g := &Granter{
		grace: grace, epoch: epoch, before: state.Epoch, claimed: state.Claimed, counters: map[uint64]*counter{}, nodes: map[string]*node{}, removed: map[string]bool{}, spent: map[uint64]entry{},
		recalls: map[string][]uint64{},
	}
	if state.Empty {
		g.learns = now.Add(grace + wire.SlidingTime)
	}
	g.now, g.age = now, state.Spent.age
	for _, e := range state.Spent.entries() {
		g.spent[e.counter] = e
	}
	for name, doc := range state.Nodes {
		n := &node{name: name, instance: doc.Instance, heard: now, shares: map[uint64]*share{}}
		for _, e := range doc.entries() {
			n.shares[e.counter] = &share{period: e.period, held: e.amount, ceiling: e.amount}
		}
		g.nodes[name] = n
	}
	return g
}

// Epoch is the granter's.
func (g *Granter) Epoch() uint64 { return g.epoch }

// Define replaces the limits that are granted. The first ones after a start
// without state may have been granted before: no one gets more of them than it
// has until that must have been heard of. first says that these are they.
func (g *Granter) Define(now time.Time, list []Definition, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	keep, fresh := make(map[uint64]bool, len(list)), map[uint64]*counter{}
	for i := range list {
		d := &list[i]
		id := d.Counter(d.Holder, d.ID)
		keep[id] = true
		c := g.counters[id]
		if c == nil {
			c = &counter{id: id, shares: map[string]*share{}}
			c.def = *d
			if first {
				c.learn(g.learns)
			}
			g.adopt(now, c)
			g.counters[id], fresh[id] = c, c
		}
		c.def = *d
	}
	g.adoptShares(fresh)
	for id, c := range g.counters {
		if keep[id] {
			continue
		}
		delete(g.counters, id)
		for name := range c.shares {
			delete(g.nodes[name].shares, id)
		}
	}
}

// adopt gives a counter what was loaded for it, but for shares.
func (g *Granter) adopt(now time.Time, c *counter) {
	c.period, c.ends = c.def.Period(now)
	c.based = !c.inLedger()
	e, ok := g.spent[c.id]
	switch {
	case !ok:
		return
	case c.def.Span() == wire.Sliding:
		left := min(wire.SlidingTime, time.Duration(e.period)*time.Millisecond) - g.age //nolint:gosec // less than a minute
		c.fade(e.amount, now.Add(max(0, left)))
	case e.period >= c.period:
		c.period, c.gone = e.period, e.amount
	}
	c.based = true // it was counted from its beginning
	delete(g.spent, c.id)
}

// adoptShares gives counters the shares that were loaded for them.
func (g *Granter) adoptShares(fresh map[uint64]*counter) {
	if len(fresh) == 0 {
		return
	}
	for name, n := range g.nodes {
		for id, s := range n.shares {
			c := fresh[id]
			switch {
			case c == nil:
			case s.period < c.period:
				delete(n.shares, id)
			default:
				c.roll(s.period)
				c.shares[name] = s
				c.held += s.held
				s.unsure = true
				c.unsure++
			}
		}
	}
}

// Learning returns until when it is found out what a lost state had; false if
// nothing is.
func (g *Granter) Learning(now time.Time) (until time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.counters {
		if c.learns.After(until) {
			until = c.learns
		}
	}
	return until, now.Before(until)
}

// claimLag is how much later than the claim of a daemon its last reply may be,
// if clocks differ.
const claimLag = 10 * time.Second

// stale reports whether a node has heard of the daemon before after the state
// that was loaded: it is an older one, such as a backup's.
func (g *Granter) stale(now time.Time, r *wire.LeaseReport) bool {
	switch {
	case r.Epoch == 0 || r.Epoch >= g.epoch || now.Before(g.learns):
		return false
	case r.Epoch > g.before:
		return true
	}
	return r.Epoch == g.before && !g.claimed.IsZero() && now.Add(-r.Heard).After(g.claimed.Add(claimLag))
}

// lose notes that the state that was loaded is not the last one: what it does
// not say is found out from the nodes and the request log.
func (g *Granter) lose(now time.Time) {
	g.learns = now.Add(g.grace + wire.SlidingTime)
	for _, c := range g.counters {
		c.based, c.counted = !c.inLedger(), false
		c.learn(g.learns)
	}
}

// Report takes in what a node tells and returns its shares; nil for what is
// out of order. The documents that Unkept returns have to be kept before the
// reply is sent.
func (g *Granter) Report(now time.Time, name string, r *wire.LeaseReport) *wire.LeaseReply {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = now
	n := g.nodes[name]
	if n != nil && n.instance != r.Instance {
		g.reclaim(now, n) // a node has one process at a time
		n = nil
	}
	if n == nil {
		n = &node{name: name, instance: r.Instance, shares: map[uint64]*share{}, proven: r.Epoch == 0, returned: r.Epoch != 0}
		g.nodes[name] = n
	}
	if g.stale(now, r) {
		g.before, g.claimed = g.epoch, time.Time{}
		g.lose(now)
	}
	if r.Seq <= n.seq {
		return nil
	}
	n.seq, n.heard, n.silent = r.Seq, now, false
	n.proven = n.proven || r.Epoch == g.epoch
	out := &wire.LeaseReply{Epoch: g.epoch, Seq: r.Seq, Valid: g.grace * 2 / 3}
	for i := range r.Uses {
		u := &r.Uses[i]
		if c := g.counters[u.Counter]; c != nil {
			out.Grants = append(out.Grants, g.grant(now, c, n, u))
			g.refused(now, c, n, u.Refused, r.Epoch == 0 || r.Epoch == g.epoch)
		}
	}
	if r.Bye {
		g.reclaim(now, n)
	}
	return out
}

// reclaim takes from a node whose process has ended all that it held. What it may
// have used counts until it has left its window.
func (g *Granter) reclaim(now time.Time, n *node) {
	for id, s := range n.shares {
		c := g.counters[id]
		if c == nil {
			continue
		}
		c.drop(n.name, s)
		g.dirty = true
		switch c.def.Span() {
		case wire.Sliding:
			c.fade(s.held, now.Add(wire.SlidingTime))
		case wire.Calendar:
			c.gone += s.held
		case wire.InFlight:
		}
	}
	delete(g.nodes, n.name)
	g.removed[n.name] = true
}

// Connected starts the grace of all nodes anew: while the granter could hear
// no one, no one was silent.
func (g *Granter) Connected(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.nodes {
		n.heard = now
	}
}

// Sweep takes back what silent nodes hold. What they may have used of a calendar
// period stays with them, in case that they come back, until it is over. A node
// that has nothing left is forgotten.
func (g *Granter) Sweep(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = now
	for _, n := range g.nodes {
		switch silence := now.Sub(n.heard); {
		case silence <= g.grace:
		case !n.silent:
			n.silent = true
			g.takeBack(now, n)
			g.keep(n)
		case silence > forgetAfter || g.nothingLeft(now, n):
			g.reclaim(now, n)
		}
	}
}

// takeBack takes from a silent node all but what it has of calendar periods.
func (g *Granter) takeBack(now time.Time, n *node) {
	for id, s := range n.shares {
		c := g.counters[id]
		if c == nil {
			continue
		}
		c.want(s, 0, 0)
		c.sure(s)
		if c.def.Span() == wire.Calendar {
			continue
		}
		c.drop(n.name, s)
		delete(n.shares, id)
		if c.def.Span() == wire.Sliding {
			c.fade(s.held, now.Add(wire.SlidingTime))
			g.dirty = true
		}
	}
}

// nothingLeft reports whether a node holds nothing of a period that goes on.
func (g *Granter) nothingLeft(now time.Time, n *node) bool {
	for id, s := range n.shares {
		if c := g.counters[id]; c != nil {
			if c.roll(c.today(now)); s.held > 0 {
				return false
			}
		}
	}
	return true
}

// keep has a node's document kept before the next reply is sent.
func (g *Granter) keep(n *node) {
	if !n.dirty {
		n.dirty = true
		g.unkept = append(g.unkept, n)
	}
}

// Missing lists the limits of which it is not known what was spent before they
// were counted.
func (g *Granter) Missing(now time.Time) (list []Definition) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.counters {
		switch {
		case c.based || now.Before(c.learns):
		case !c.counted && !c.learns.IsZero():
			// What the nodes report now is in the request log a little later.
			c.counted, c.known, c.learns = true, c.used, now.Add(ledgerLag)
		default:
			list = append(list, c.def)
		}
	}
	return list
}

// Base says what the request log has of a limit's current period.
func (g *Granter) Base(now time.Time, d *Definition, spent int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.counters[d.Counter(d.Holder, d.ID)]
	if c == nil || c.based {
		return
	}
	c.roll(c.today(now))
	c.based = true
	c.gone = max(c.gone, spent-c.known)
	g.dirty = true
}
