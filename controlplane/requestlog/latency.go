package requestlog

import (
	"math"
	"math/bits"
	"slices"
)

// Latencies are counted in buckets so that percentiles of an hour are a walk
// over some dozens of counters. Values below 32 ms have a bucket each; above,
// every power of two is cut into sixteen.

// latencyBucket returns the bucket of a latency. It is part of the schema:
// stored rows carry its result.
func latencyBucket(ms int64) int64 {
	v := uint64(max(ms, 0))
	if v < 32 {
		return int64(v)
	}
	shift := bits.Len64(v) - 5
	return int64(16*shift) + int64(v>>shift)
}

// bucketRange returns the smallest and greatest latency of a bucket.
func bucketRange(bucket int64) (low, high float64) {
	if bucket < 32 {
		return float64(bucket), float64(bucket)
	}
	shift := bucket/16 - 1
	mantissa := float64(bucket - 16*shift)
	unit := math.Ldexp(1, int(shift))
	return mantissa * unit, (mantissa+1)*unit - 1
}

// histogram is the buckets of one row in ascending order with their counts.
type histogram struct {
	buckets, counts []int64
}

// sort orders the buckets.
func (h histogram) sort() {
	counts := make(map[int64]int64, len(h.buckets))
	for i, bucket := range h.buckets {
		counts[bucket] = h.counts[i]
	}
	slices.Sort(h.buckets)
	for i, bucket := range h.buckets {
		h.counts[i] = counts[bucket]
	}
}

// percentile returns the latency by nearest rank: that of the first request,
// from the fastest on, with which the share q of all are counted. It is the
// greatest of its bucket, so that a slow request never looks faster than it was.
func (h histogram) percentile(q float64) int64 {
	var total int64
	for _, n := range h.counts {
		total += n
	}
	rank := max(int64(math.Ceil(q*float64(total))), 1)
	for i, n := range h.counts {
		if rank -= n; rank <= 0 {
			_, high := bucketRange(h.buckets[i])
			return int64(high)
		}
	}
	return 0
}

// finish sets what is derived from the sums and the histograms.
func (f *Figures) finish(latencySum int64, latency, ttft histogram) {
	f.SuccessCount = f.RequestCount - f.ErrorCount
	if f.RequestCount > 0 {
		f.AvgLatencyMS = float64(latencySum) / float64(f.RequestCount)
	}
	f.P50LatencyMS, f.P95LatencyMS, f.P99LatencyMS = latency.percentile(0.50), latency.percentile(0.95), latency.percentile(0.99)
	f.P50TTFTMS, f.P95TTFTMS, f.P99TTFTMS = ttft.percentile(0.50), ttft.percentile(0.95), ttft.percentile(0.99)
}
