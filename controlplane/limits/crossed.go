package limits

import (
	"slices"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// Crossing is a limit of which at least a percentage is used.
type Crossing struct {
	Definition
	Counter uint64
	Period  uint64
	// Ends is the end of the period, zero for never.
	Ends    time.Time
	Used    int64
	Percent int
}

// Crossed lists the limits of calendar periods that have crossed a threshold,
// with the greatest that they have. thresholds are percentages, ascending.
func (g *Granter) Crossed(now time.Time, thresholds []int) (list []Crossing) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.counters {
		if c.def.Span() != wire.Calendar || !c.settled(now) {
			continue
		}
		c.roll(c.today(now))
		if reached(c.gone+c.held, c.def.Value, thresholds) == 0 { // less was used than is held
			continue
		}
		used := c.gone
		for _, s := range c.shares {
			used += s.used
		}
		if percent := reached(used, c.def.Value, thresholds); percent > 0 {
			list = append(list, Crossing{Definition: c.def, Counter: c.id, Period: c.period, Ends: c.ends, Used: used, Percent: percent})
		}
	}
	return list
}

// reached is the greatest threshold that an amount has reached, 0 for none. A
// budget of nothing is no news.
func reached(used, limit int64, thresholds []int) int {
	for _, percent := range slices.Backward(thresholds) {
		if limit > 0 && float64(used) >= float64(limit)/100*float64(percent) {
			return percent
		}
	}
	return 0
}

// Crossed is the granter's while this daemon grants, else empty.
func (s *Service) Crossed(thresholds []int) []Crossing {
	if g := s.granting.Load(); g != nil {
		return g.Crossed(time.Now(), thresholds)
	}
	return nil
}
