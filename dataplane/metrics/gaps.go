package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// gapBounds are the upper bounds of the histogram of gaps.
//
//nolint:gochecknoglobals // a constant table
var gapBounds = [...]time.Duration{
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second,
	5 * time.Second, 30 * time.Second,
}

// Gaps are the times between the chunks of one stream that have content. There
// may be thousands: they are counted where the stream is and added up at its
// end. The zero value is ready.
type Gaps struct {
	counts [len(gapBounds) + 1]uint32
	sum    time.Duration
}

// Add counts a gap.
func (g *Gaps) Add(d time.Duration) {
	i := 0
	for i < len(gapBounds) && d > gapBounds[i] {
		i++
	}
	g.counts[i]++
	g.sum += max(d, 1)
}

// gapHistogram are the gaps of a model's streams.
type gapHistogram struct {
	counts [len(gapBounds) + 1]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
}

// chunkGaps collects the histograms of all models.
type chunkGaps struct {
	all  *Requests
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *chunkGaps) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect implements prometheus.Collector.
func (c *chunkGaps) Collect(ch chan<- prometheus.Metric) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	for id, m := range c.all.models {
		if m.gaps.sum.Load() == 0 {
			continue
		}
		total, buckets := uint64(0), make(map[float64]uint64, len(gapBounds))
		for i := range gapBounds {
			total += m.gaps.counts[i].Load()
			buckets[gapBounds[i].Seconds()] = total
		}
		total += m.gaps.counts[len(gapBounds)].Load()
		ch <- prometheus.MustNewConstHistogram(c.desc, total, time.Duration(m.gaps.sum.Load()).Seconds(), buckets, id)
	}
}
