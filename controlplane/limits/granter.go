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
	removed  map[string]bool // nodes whose documents are void
	spent    spentDoc        // what was loaded for counters that are not defined yet
	unkept   []*node         // those whose document has to be kept
	dirty    bool            // the document of what is spent has to be kept
	learns   time.Time
}

// node is one start of a node.
type node struct {
	name          string
	instance, seq uint64
	heard         time.Time
	proven        bool // it knows of this granter: no other's reply counts there
	silent        bool // for longer than the grace
	shares        map[uint64]*share
	refused       map[uint64]int64 // what it has refused since it started
	dirty         bool             // its document has to be kept
}

// New returns a granter that follows on state. The epoch is greater than any
// before. Nodes that are silent for longer than grace count as dead.
func New(now time.Time, epoch uint64, grace time.Duration, state State) *Granter {
	g := &Granter{grace: grace, epoch: epoch, counters: map[uint64]*counter{}, nodes: map[string]*node{}, removed: map[string]bool{}, spent: state.Spent}
	if state.Empty {
		g.learns = now.Add(grace + wire.SlidingTime)
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
// without state may have been granted before: nobody gets more of them than it
// has until that must have been heard of. first says that these are they.
func (g *Granter) Define(now time.Time, list []Definition, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	keep := make(map[uint64]bool, len(list))
	for i := range list {
		d := &list[i]
		id := d.Counter(d.Holder, d.ID)
		keep[id] = true
		c := g.counters[id]
		if c == nil {
			c = &counter{id: id, shares: map[string]*share{}}
			c.def = *d
			if first {
				c.learns = g.learns
			}
			g.adopt(now, c)
			g.counters[id] = c
		}
		c.def = *d
	}
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

// adopt gives a counter what was loaded for it.
func (g *Granter) adopt(now time.Time, c *counter) {
	c.period, c.ends = c.def.Period(now)
	for _, e := range g.spent.entries() {
		if e.counter != c.id {
			continue
		}
		if c.def.Span() == wire.Sliding {
			c.fade(e.amount, now.Add(wire.SlidingTime))
			continue
		}
		c.based = true // it was counted from its beginning
		if e.period >= c.period {
			c.period, c.gone = e.period, e.amount
		}
	}
	for name, n := range g.nodes {
		if s := n.shares[c.id]; s != nil {
			if s.period > c.period {
				c.roll(s.period)
			}
			if s.period == c.period {
				c.shares[name] = s
				c.held += s.held
			} else {
				delete(n.shares, c.id)
			}
		}
	}
	c.based = c.based || c.def.Kind != wire.LimitBudget
}

// Report takes in what a node tells and returns its shares; nil for what is
// out of order. The documents that Unkept returns have to be kept before the
// reply is sent.
func (g *Granter) Report(now time.Time, name string, r *wire.LeaseReport) *wire.LeaseReply {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.nodes[name]
	if n != nil && n.instance != r.Instance {
		g.bury(now, n) // a node has one process at a time
		n = nil
	}
	if n == nil {
		n = &node{name: name, instance: r.Instance, shares: map[uint64]*share{}, proven: r.Epoch == 0}
		g.nodes[name] = n
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
		g.bury(now, n)
	}
	return out
}

// bury takes from a node whose process has ended all that it held. What it may
// have used counts until it has left its window.
func (g *Granter) bury(now time.Time, n *node) {
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
// nobody, nobody was silent.
func (g *Granter) Connected(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.nodes {
		n.heard = now
	}
}

// Sweep takes back what silent nodes hold. What they may have used of a calendar
// period stays with them, in case that they come back.
func (g *Granter) Sweep(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range g.nodes {
		if n.silent || now.Sub(n.heard) <= g.grace {
			continue
		}
		n.silent = true
		for id, s := range n.shares {
			c := g.counters[id]
			if c == nil {
				continue
			}
			c.want(s, 0, 0)
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
		g.keep(n)
	}
}

// keep has a node's document kept before the next reply is sent.
func (g *Granter) keep(n *node) {
	if !n.dirty {
		n.dirty = true
		g.unkept = append(g.unkept, n)
	}
}

// Missing lists the budgets whose cost from before they were counted is not known.
func (g *Granter) Missing() (list []Definition) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.counters {
		if !c.based {
			list = append(list, c.def)
		}
	}
	return list
}

// Base says what was spent of a budget before it was counted.
func (g *Granter) Base(now time.Time, d *Definition, spent int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.counters[d.Counter(d.Holder, d.ID)]
	if c == nil || c.based {
		return
	}
	c.roll(c.today(now))
	c.based = true
	c.gone += spent
	g.dirty = true
}
