package limits

import (
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// counter is one limit over the fleet.
type counter struct {
	id     uint64
	def    Definition
	period uint64
	ends   time.Time // of the period, zero for never
	shares map[string]*share

	// sums over shares
	held, used, demand, claims int64
	demanding                  int64 // shares that have a demand
	unsure                     int64 // shares of which only what was kept is known

	recalled time.Time // when nodes were last asked to give back what they do not need

	gone    int64 // spent in the period by nodes that are no more, or before it was counted
	based   bool  // gone has what was spent before
	known   int64 // of what was spent before, what nodes that are there have used
	counted bool  // known is
	fading  []fade
	faded   int64     // the sum of fading
	learns  time.Time // until when no one gets more than it has

	refusals refusals
}

// fade is what a node that is gone may have used of a sliding window.
type fade struct {
	amount int64
	until  time.Time
}

// share is what a node has of a counter.
type share struct {
	period uint64
	// held is the most that the node may use before its next report, ceiling what
	// is kept of it for a successor, which may be more.
	held, ceiling int64
	used, demand  int64
	claim         int64     // what it lacks of its fair part
	freed         time.Time // when its oldest use leaves the window
	unsure        bool      // what it holds may be less: the node has not been heard of
}

// inLedger reports whether the request log knows what was used of the period.
func (c *counter) inLedger() bool {
	return c.def.Kind == wire.LimitBudget || c.def.Kind == wire.LimitTPD
}

func (c *counter) fade(amount int64, until time.Time) {
	if amount > 0 {
		c.fading = append(c.fading, fade{amount, until})
		c.faded += amount
	}
}

// expire forgets what has left the window.
func (c *counter) expire(now time.Time) {
	for len(c.fading) > 0 && !now.Before(c.fading[0].until) {
		c.faded -= c.fading[0].amount
		c.fading = c.fading[1:]
	}
}

// today is the period that is now. Clocks of daemons differ: none goes back.
func (c *counter) today(now time.Time) uint64 {
	period, ends := c.def.Period(now)
	if period >= c.period {
		c.ends = ends
	}
	return max(period, c.period)
}

// roll begins a period.
func (c *counter) roll(period uint64) {
	if period <= c.period {
		return
	}
	c.period, c.gone, c.based, c.known = period, 0, true, 0
	c.held, c.used, c.demand, c.claims, c.demanding, c.unsure = 0, 0, 0, 0, 0, 0
	for _, s := range c.shares {
		*s = share{period: period}
	}
}

// want records what a node would use and what it lacks.
func (c *counter) want(s *share, demand, claim int64) {
	if s.demand > 0 {
		c.demanding--
	}
	if demand > 0 {
		c.demanding++
	}
	c.demand += demand - s.demand
	c.claims += claim - s.claim
	s.demand, s.claim = demand, claim
}

func (c *counter) hold(s *share, amount int64) {
	c.held += amount - s.held
	s.held = amount
}

// sure notes that a node holds what is known of it.
func (c *counter) sure(s *share) {
	if s.unsure {
		s.unsure = false
		c.unsure--
	}
}

// drop removes a node.
func (c *counter) drop(node string, s *share) {
	c.sure(s)
	c.want(s, 0, 0)
	c.held -= s.held
	c.used -= s.used
	delete(c.shares, node)
}

// grant decides on a node's share.
func (g *Granter) grant(now time.Time, c *counter, n *node, u *wire.LeaseUse) wire.LeaseGrant {
	c.expire(now)
	c.roll(max(c.today(now), u.Period))
	used, held := u.Used, u.Held
	if u.Period != c.period { // of a period that is over
		used, held = 0, 0
	}
	s := c.shares[n.name]
	if s == nil {
		s = &share{period: c.period}
		c.shares[n.name], n.shares[c.id] = s, s
		if n.returned && c.def.Span() == wire.Calendar { // it was counted as spent when the node was given up
			c.gone -= min(c.gone, held)
			g.dirty = true
		}
	}
	own := held
	if n.proven {
		c.sure(s)
	} else {
		held = max(held, s.held)
	}
	c.hold(s, held)
	c.want(s, u.Demand, 0)
	c.used += used - s.used
	s.used, s.freed = used, time.Time{}
	if u.Freed > 0 {
		s.freed = now.Add(u.Freed)
	}
	target := min(own, c.def.Value) // more is for when it is known what is left
	if c.settled(now) {
		target = c.target(s, u.Need)
	}
	c.hold(s, max(held, target))
	if s.held > s.ceiling {
		s.ceiling = c.headroom(s)
		g.keep(n)
	}
	lacks := (u.Demand > 0 || u.Need > 0) && target-used < max(1, u.Need)
	out := wire.LeaseGrant{Counter: c.id, Period: c.period, Share: target}
	out.Dry = lacks && c.settled(now) && c.unsure == 0 && !g.recall(now, c, s, u.Need)
	if !c.ends.IsZero() && c.def.Span() == wire.Calendar {
		out.Ends = max(time.Millisecond, c.ends.Sub(now))
	}
	if out.Dry && c.def.Span() == wire.Sliding {
		out.Retry = c.retry(now)
	}
	return out
}

// learn has no one get more than it has until then. A provider's own limit is not
// worth that: the provider refuses what is too much, and a new installation, which
// looks like one that has lost everything, must not refuse its first requests.
func (c *counter) learn(until time.Time) {
	if c.def.Holder != wire.HolderEndpoint {
		c.learns = until
	}
}

// settled reports whether it is known what is left.
func (c *counter) settled(now time.Time) bool { return c.based && !now.Before(c.learns) }

// spare is how much less than its part of half of what is free a node gets beyond
// what its rate needs. It goes on with that when no daemon grants, and takes it
// along for a window when it is killed.
const spare = 4

// target is the most that a node is to use of the window. It may be less than
// what it holds.
func (c *counter) target(s *share, need int64) int64 {
	if s.demand == 0 && need == 0 {
		return min(s.used, c.def.Value)
	}
	span := c.def.Span()
	free := c.def.Value - c.gone - c.faded - (c.held - s.held) // for this node, with all that it holds
	room := free - s.used
	parts := c.parts()
	ahead := wire.Ahead(span, s.demand)
	if span == wire.Calendar {
		return clamp(s.used+max(need, min(ahead, max(1, room/parts))), free)
	}
	if c.demand <= c.def.Value {
		ahead = max(need, ahead)
		return clamp(s.used+ahead+max(0, room-ahead)/(spare*parts), free)
	}
	// Whoever asks first must not get what the others are about to ask for.
	step := max(need, min(ahead, max(1, room/parts)))
	fair := int64(float64(c.def.Value) * (float64(s.demand) / float64(c.demand)))
	wanted := min(fair, s.used+step)
	target := clamp(wanted, free)
	c.want(s, s.demand, max(0, wanted-max(target, s.held)))
	if least := max(1, need); target < s.used+least && room-(c.claims-s.claim) >= least {
		target = clamp(s.used+least, free) // no node that has less than its part lacks it
	}
	return target
}

// parts is into how many parts what is free is divided: no one gets more than
// one at a time.
func (c *counter) parts() int64 { return 2 * max(1, c.demanding) }

func clamp(n, most int64) int64 { return max(0, min(n, most)) }

// headroom is what is kept of a share, so that not every grant has to be.
func (c *counter) headroom(s *share) int64 {
	if c.def.Span() == wire.Calendar {
		return max(s.held, min(c.def.Value, s.held+4*wire.Ahead(wire.Calendar, s.demand)))
	}
	return max(s.held, min(c.def.Value, s.held+s.held/4+2))
}

// retry is how long it takes until something leaves the window.
func (c *counter) retry(now time.Time) time.Duration {
	var first time.Time
	note := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if len(c.fading) > 0 {
		note(c.fading[0].until)
	}
	for _, s := range c.shares {
		note(s.freed)
	}
	if first.IsZero() {
		return 0
	}
	return max(time.Millisecond, first.Sub(now))
}
