package requestlog

// Exported for the tests of arithmetic that no store shows by itself.

func ParsePico(s string) (int64, error) { return parsePico(s) }

func FormatPico(n int64) string { return formatPico(n) }

func LatencyBucket(ms int64) int64 { return latencyBucket(ms) }

func BucketRange(bucket int64) (low, high float64) { return bucketRange(bucket) }

func Percentile(buckets, counts []int64, q float64) int64 {
	return histogram{buckets, counts}.percentile(q)
}
