package metrics

import (
	"time"

	"github.com/hybridinference/gateway/shared/exposition"
)

// The buckets of the histograms.
//
//nolint:gochecknoglobals // constant tables
var (
	durationBounds = exposition.NewBounds(100*time.Millisecond, 250*time.Millisecond, 500*time.Millisecond, time.Second, 2500*time.Millisecond, 5*time.Second,
		10*time.Second, 30*time.Second, time.Minute, 5*time.Minute)
	firstTokenBounds = exposition.NewBounds(100*time.Millisecond, 250*time.Millisecond, 500*time.Millisecond, time.Second, 2*time.Second, 5*time.Second,
		10*time.Second, 30*time.Second)
	queuedBounds = exposition.NewBounds(10*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond, 500*time.Millisecond, time.Second, 2*time.Second,
		5*time.Second, 10*time.Second, 30*time.Second)
	gapBounds = exposition.NewBounds(10*time.Millisecond, 25*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond, 250*time.Millisecond, time.Second,
		5*time.Second, 30*time.Second)
)

// gapBuckets is how many buckets gapBounds make.
const gapBuckets = 9

// Gaps are the times between the chunks of one stream that have content. There
// may be thousands: they are counted where the stream is and added up at its
// end. The zero value is ready.
type Gaps struct {
	counts [gapBuckets]uint32
	sum    time.Duration
}

// Add counts a gap.
func (g *Gaps) Add(d time.Duration) {
	g.counts[gapBounds.Bucket(d)]++
	g.sum += max(d, 1)
}

// Gaps counts the gaps of a stream.
func (m *Model) Gaps(g *Gaps) {
	if g.sum == 0 {
		return
	}
	for i, n := range g.counts {
		if n > 0 {
			m.gaps.counts[i].Add(uint64(n))
		}
	}
	m.gaps.sum.Add(int64(g.sum))
}
