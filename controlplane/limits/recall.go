package limits

import (
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// recallEvery is how often nodes are asked to give back what they hold of a
	// limit and do not need.
	recallEvery = 20 * time.Millisecond
	// recallSilence is how long a node may not have been heard of and still be
	// expected to answer. Nodes that hold something report every second.
	recallSilence = 3 * time.Second
	// recallPart is the part of a rate or of what is in flight that the other
	// nodes have to hold unused before they are asked: of these something comes
	// back all the time.
	recallPart = 4
)

// recall asks the other nodes to give back what they do not need, if that could
// be enough for a node that lacks something. It reports whether it could: then
// the limit is not used up.
func (g *Granter) recall(now time.Time, c *counter, s *share, need int64) bool {
	least := max(1, need)
	if c.def.Span() != wire.Calendar {
		least = max(least, c.def.Value/recallPart)
	}
	if c.held-s.held-(c.used-s.used) < least {
		return false
	}
	var excess int64
	for name, other := range c.shares {
		if other != s && now.Sub(g.nodes[name].heard) <= recallSilence {
			excess += c.excess(other)
		}
	}
	if excess < least {
		return false
	}
	if now.Sub(c.recalled) < recallEvery {
		return true
	}
	c.recalled = now
	for name, other := range c.shares {
		if other != s && c.excess(other) > 0 {
			g.recalls[name] = append(g.recalls[name], c.id)
		}
	}
	return true
}

// excess is how much of what a node holds it does not need. Where it is asked for
// all that it holds of a rate, or of what may be in flight, nothing is idle: what
// it has not used by its last report it has used since.
func (c *counter) excess(s *share) int64 {
	unused := s.held - s.used
	ahead := wire.Ahead(c.def.Span(), s.demand)
	if c.def.Span() == wire.Calendar {
		return max(0, unused-min(ahead, max(1, unused/c.parts())))
	}
	return max(0, s.held-max(s.used, s.demand)-ahead)
}

// Recalls returns which counters nodes are to report at once, by the nodes'
// names, since the last call.
func (g *Granter) Recalls() map[string][]uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.recalls) == 0 {
		return nil
	}
	list := g.recalls
	g.recalls = map[string][]uint64{}
	return list
}
