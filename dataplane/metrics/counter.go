package metrics

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hybridinference/gateway/shared/exposition"
)

// counter counts; it has no series before it counted something. The zero value
// is ready.
type counter struct{ atomic.Uint64 }

func (c *counter) write(w *exposition.Writer, l, more *exposition.Labels) {
	if n := c.Load(); n > 0 {
		w.Sample(l, more, float64(n))
	}
}

// sum adds up positive numbers as a counter. The zero value is ready.
type sum struct{ bits atomic.Uint64 }

func (s *sum) add(v float64) {
	for {
		old := s.bits.Load()
		if s.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

func (s *sum) write(w *exposition.Writer, l *exposition.Labels) {
	if v := math.Float64frombits(s.bits.Load()); v > 0 {
		w.Sample(l, nil, v)
	}
}

// nativeFactor is how much each bucket of a native histogram is wider than the
// one before: a quantile is right to about a tenth of itself.
const (
	nativeFactor  = 1.19
	nativeBuckets = 160
)

// histogram is a histogram of times: with classic buckets, for text, and as a
// native one, for messages.
type histogram struct {
	counts []atomic.Uint64
	sum    atomic.Int64 // nanoseconds
	native atomic.Pointer[prometheus.Histogram]
}

func newHistogram(b *exposition.Bounds) histogram {
	return histogram{counts: make([]atomic.Uint64, b.Len())}
}

func (h *histogram) observe(b *exposition.Bounds, d time.Duration) {
	h.counts[b.Bucket(d)].Add(1)
	h.sum.Add(int64(d))
	native := h.native.Load()
	if native == nil {
		made := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "native", NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets})
		h.native.CompareAndSwap(nil, &made)
		native = h.native.Load()
	}
	(*native).Observe(d.Seconds())
}

func (h *histogram) write(w *exposition.Writer, l *exposition.Labels, b *exposition.Bounds) {
	var native prometheus.Metric
	if n := h.native.Load(); n != nil {
		native = *n
	}
	w.Buckets(l, b, h.counts, time.Duration(h.sum.Load()), native)
}
