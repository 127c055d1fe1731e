package metrics

// Hedged counts a request for which a second endpoint was asked, and whether that
// was faster. cost is that of the one that was broken off, in pico-dollars.
func (m *Model) Hedged(won bool, cost int64) {
	m.hedges.Add(1)
	if won {
		m.hedgesWon.Add(1)
	}
	if cost > 0 {
		m.hedgedCost.add(float64(cost) / 1e12)
	}
}
