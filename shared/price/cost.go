package price

import (
	"math"

	"github.com/hybridinference/gateway/shared/wire"
)

// MostCost is the largest cost of a prompt or of a completion: both of them add
// up to what an int64 holds.
const MostCost = math.MaxInt64 / 2

// Cost is what a request costs, in pico-dollars. Neither part is negative, or
// more than MostCost.
type Cost struct {
	Prompt, Completion int64
	// Source is one of wire's. With CostSourceUnknown there is no cost.
	Source string
	// Version is that of the prices.
	Version string
}

// Total is both parts.
func (c *Cost) Total() int64 { return c.Prompt + c.Completion }

// Bill is what has to be known of a request to price it.
type Bill struct {
	Used
	// Unix is when it was received, seconds since 1970.
	Unix int64
	// Tier is the tier of service, "" for the usual one.
	Tier string
	// Upstream is the upstream's own figure in pico-dollars, if it gave one.
	Upstream int64
	Told     bool
}

// Cost prices a request.
func (l *List) Cost(r *Bill) Cost {
	s := l.At(r.Unix, r.Tier, r.Prompt)
	c := s.Cost(&r.Used)
	if r.Told && (l.Upstream || c.Source == wire.CostSourcePartial || c.Source == wire.CostSourceUnknown) {
		total := min(max(r.Upstream, 0), MostCost)
		c.Prompt = min(c.Prompt, total)
		c.Completion, c.Source = total-c.Prompt, wire.CostSourceUpstream
	}
	return c
}

// Cost prices what was used.
func (s *Sheet) Cost(u *Used) Cost {
	q := u.quantities()
	c := Cost{Source: wire.CostSourceList, Version: s.Version}
	if !s.Priced() {
		c.Source = wire.CostSourceUnknown
	}
	for i, n := range q {
		if n == 0 {
			continue
		}
		if s.Unknown.Has(Cell(i)) && c.Source == wire.CostSourceList {
			c.Source = wire.CostSourcePartial
		}
		into := &c.Prompt
		if Cell(i) >= firstOutput {
			into = &c.Completion
		}
		*into = min(*into+times(n, s.Price[i]), MostCost)
	}
	if c.Source == wire.CostSourceList && s.Free() {
		c.Source = wire.CostSourceFree
	}
	return c
}

// times multiplies, up to MostCost.
func times(n, price int64) int64 {
	if n <= 0 || price <= 0 {
		return 0
	}
	if n > MostCost/price {
		return MostCost
	}
	return n * price
}
