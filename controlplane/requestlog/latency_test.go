package requestlog_test

import (
	"math"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// Buckets cover all latencies without gap or overlap, within 1/16.
func TestLatencyBuckets(t *testing.T) {
	next := 0.0
	for bucket := range requestlog.LatencyBucket(1 << 40) {
		low, high := requestlog.BucketRange(bucket)
		if low != next || high < low {
			t.Fatalf("bucket %d is %v..%v, want it to start at %v", bucket, low, high, next)
		}
		if got := requestlog.LatencyBucket(int64(low)); got != bucket {
			t.Fatalf("%v ms is in bucket %d, want %d", low, got, bucket)
		}
		if got := requestlog.LatencyBucket(int64(high)); got != bucket {
			t.Fatalf("%v ms is in bucket %d, want %d", high, got, bucket)
		}
		if high-low > low/16 {
			t.Fatalf("bucket %d is %v..%v, wider than a sixteenth", bucket, low, high)
		}
		next = high + 1
	}
	if got := requestlog.LatencyBucket(-5); got != 0 {
		t.Errorf("-5 ms is in bucket %d, want 0", got)
	}
	if got := requestlog.LatencyBucket(math.MaxInt64); got > math.MaxInt16 {
		t.Errorf("the last bucket is %d, more than the column holds", got)
	}
}

func TestPercentile(t *testing.T) {
	f := func(buckets, counts []int64, q float64, want int64) {
		t.Helper()
		if got := requestlog.Percentile(buckets, counts, q); got != want {
			t.Errorf("%v %v at %v: %d, want %d", buckets, counts, q, got, want)
		}
	}
	f(nil, nil, 0.5, 0)
	f([]int64{7}, []int64{1}, 0.99, 7)
	f([]int64{1, 2, 3}, []int64{1, 1, 1}, 0.5, 2)
	f([]int64{1, 9}, []int64{99, 1}, 0.95, 1)
	f([]int64{1, 9}, []int64{99, 1}, 0.99, 1)
	f([]int64{1, 9}, []int64{50, 50}, 0.5, 1)
	f([]int64{1, 9}, []int64{50, 50}, 0.99, 9)
	// the slowest of fourteen is their 99th percentile, not hidden by the others
	f([]int64{1, 31}, []int64{13, 1}, 0.99, 31)
	f([]int64{1, 31}, []int64{13, 1}, 0.95, 31)
	f([]int64{1, 31}, []int64{13, 1}, 0.5, 1)
	// 1024..1087 ms share a bucket
	f([]int64{requestlog.LatencyBucket(1024)}, []int64{64}, 0.5, 1087)
}
