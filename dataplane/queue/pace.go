package queue

import "time"

// pace is how fast places become free while requests wait for them.
type pace struct {
	last time.Time     // when a place was handed over, or the line began
	mean time.Duration // between two of them, 0 before the first
}

// weight is how much of the mean the newest interval is: one part in that many.
const weight = 8

// begin starts a line that was empty. What passed without anyone waiting says nothing.
func (p *pace) begin(now time.Time) { p.last = now }

// note takes in that a place was handed over.
func (p *pace) note(now time.Time) {
	took := now.Sub(p.last)
	p.last = now
	if p.mean == 0 {
		p.mean = max(took, 1)
		return
	}
	p.mean += (took - p.mean) / weight
}

// estimate is the mean, or what has passed since the last place if that is longer.
func (p *pace) estimate(now time.Time) time.Duration { return max(p.mean, now.Sub(p.last)) }
