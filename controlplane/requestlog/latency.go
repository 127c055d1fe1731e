package requestlog

import (
	"math"
	"math/bits"
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

// percentile returns the latency below which the share q of the requests lie,
// assuming that they are spread evenly over their bucket.
func (h histogram) percentile(q float64) int64 {
	var total int64
	for _, n := range h.counts {
		total += n
	}
	rank := q * float64(total-1)
	var below float64
	for i, n := range h.counts {
		if count := float64(n); rank < below+count {
			low, high := bucketRange(h.buckets[i])
			if n > 1 {
				low += (high - low) * min((rank-below)/(count-1), 1)
			}
			return int64(math.Round(low))
		}
		below += float64(n)
	}
	return 0
}

// finish sets what is derived from the sums and the histogram.
func (r *StatsRow) finish(latencySum int64, h histogram) {
	if r.RequestCount > 0 {
		r.AvgLatencyMS = float64(latencySum) / float64(r.RequestCount)
	}
	r.Hour = r.Hour.UTC()
	r.TotalCostUSD = trimDecimal(r.TotalCostUSD)
	r.P50LatencyMS = h.percentile(0.50)
	r.P95LatencyMS = h.percentile(0.95)
	r.P99LatencyMS = h.percentile(0.99)
}
