package limits

import (
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// quantum is how exactly a use is timed. A use leaves the window one to two
	// quanta after its minute is over, never before.
	quantum = 250 * time.Millisecond
	// windowTicks are the quanta of a window, ringSlots more than a ring needs.
	windowTicks = uint64(wire.SlidingTime / quantum)
	ringSlots   = 256
	// keepTicks is when a quantum has left the window: its last use was up to
	// one quantum after its number, and the clock is read in whole ones.
	keepTicks = windowTicks + 2
)

// ring has what was used in each quantum of a window.
type ring [ringSlots]atomic.Int64

func (r *ring) at(tick uint64) *atomic.Int64 { return &r[tick%ringSlots] }

// turn moves the ring on and returns what has left the window. Where it is late,
// what was used meanwhile counts as used just now.
func (r *ring) turn(from, to uint64) (freed int64) {
	for tick := max(from, keepTicks-1) - (keepTicks - 1); tick < from && tick+keepTicks <= to; tick++ {
		freed += r.at(tick).Swap(0)
	}
	if to > from+1 {
		r.at(to - 1).Add(r.at(from).Swap(0))
	}
	return freed
}

// wait is how long it takes until n of what was used has left the window.
func (r *ring) wait(tick uint64, now time.Duration, n int64) time.Duration {
	for at := max(tick, keepTicks-1) - (keepTicks - 1); at <= tick; at++ {
		if n -= r.at(at).Load(); n <= 0 {
			return max(0, time.Duration(at+keepTicks)*quantum-now) //nolint:gosec // ticks of an uptime
		}
	}
	return 0
}
