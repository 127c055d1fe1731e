package limits

import (
	"cmp"
	"slices"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// refusals counts the requests that a limit refused, since its period began, or
// since 00:00 UTC if it has none.
type refusals struct {
	period uint64
	sum    int64
	nodes  map[string]int64
}

// refused takes in how many requests a node has refused since it started. What
// it refused before this granter began is not known to be of this period.
func (g *Granter) refused(now time.Time, c *counter, n *node, total int64, known bool) {
	before, seen := n.refused[c.id]
	if total == before && (seen || total == 0) {
		return
	}
	if n.refused == nil {
		n.refused = map[uint64]int64{}
	}
	n.refused[c.id] = total
	if total > before && (seen || known) {
		r := c.refusalsAt(now)
		r.sum += total - before
		if r.nodes == nil {
			r.nodes = map[string]int64{}
		}
		r.nodes[n.name] += total - before
	}
}

// refusalsAt returns the count of the period that is now.
func (c *counter) refusalsAt(now time.Time) *refusals {
	period := c.period
	if c.def.Span() != wire.Calendar {
		period, _ = (&wire.Limit{Kind: wire.LimitRPD}).Period(now)
	}
	if c.refusals.period != period {
		c.refusals = refusals{period: period}
	}
	return &c.refusals
}

// States returns how much of counters is used.
func (g *Granter) States(now time.Time, q *wire.LimitQuestion) *wire.LimitStates {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := &wire.LimitStates{States: make([]wire.LimitState, 0, len(q.Counters))}
	for _, id := range q.Counters {
		if c := g.counters[id]; c != nil {
			out.States = append(out.States, c.state(now, q.Nodes))
		}
	}
	return out
}

func (c *counter) state(now time.Time, nodes bool) wire.LimitState {
	c.expire(now)
	c.roll(c.today(now))
	r := c.refusalsAt(now)
	s := wire.LimitState{Counter: c.id, Used: c.gone + c.faded, Refused: r.sum, Learning: !c.settled(now)}
	for name, share := range c.shares {
		leased := max(0, share.held-share.used)
		s.Used += share.used
		s.Leased += leased
		if nodes && (share.used > 0 || leased > 0 || r.nodes[name] > 0) {
			s.Nodes = append(s.Nodes, wire.NodeShare{Node: name, Used: share.used, Leased: leased, Refused: r.nodes[name]})
		}
	}
	slices.SortFunc(s.Nodes, func(a, b wire.NodeShare) int { return cmp.Compare(a.Node, b.Node) })
	switch c.def.Span() {
	case wire.Calendar:
		s.Resets = c.ends
	case wire.Sliding:
		if wait := c.retry(now); wait > 0 {
			s.Resets = now.Add(wait)
		}
	case wire.InFlight:
	}
	return s
}
