package upstream

import (
	"math"
	"sync/atomic"
)

const (
	// A histogram has four bins to each power of two from 1/16 to 2^20.
	binBits   = 2
	binLowest = -4
	binCount  = 24 << binBits
)

// histogram counts values in bins that grow with the values: a percentile is
// right to about a tenth of itself.
type histogram struct{ bins [binCount]atomic.Uint32 }

// tally is the sum of histograms.
type tally struct {
	bins  [binCount]uint64
	total uint64
}

// Percentiles of a measured value: what that share of the requests got, or
// better. Of a latency P90 is a value that nine of ten are below, of a
// throughput one that nine of ten are above.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P75 float64 `json:"p75"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
}

func (h *histogram) add(v float64) { h.bins[binOf(v)].Add(1) }

// binOf reads the bin from the float's bits: its exponent and the first bits
// of its mantissa.
func binOf(v float64) int {
	const mantissa, bias = 52, 1023
	if v <= 0 {
		return 0
	}
	i := int(math.Float64bits(v)>>(mantissa-binBits)) - (bias+binLowest)<<binBits
	return min(max(i, 0), binCount-1)
}

// lowerEdge is the least value of a bin.
func lowerEdge(bin int) float64 {
	return math.Ldexp(1+float64(bin%(1<<binBits))/(1<<binBits), bin>>binBits+binLowest)
}

func (t *tally) add(h *histogram) {
	for i := range h.bins {
		n := uint64(h.bins[i].Load())
		t.bins[i] += n
		t.total += n
	}
}

// below and above return the percentiles where less is better and where more
// is; false if there are no values.
func (t *tally) below() (Percentiles, bool) {
	if t.total == 0 {
		return Percentiles{}, false
	}
	return Percentiles{P50: t.at(0.5), P75: t.at(0.75), P90: t.at(0.9), P99: t.at(0.99)}, true
}

func (t *tally) above() (Percentiles, bool) {
	if t.total == 0 {
		return Percentiles{}, false
	}
	return Percentiles{P50: t.at(0.5), P75: t.at(0.25), P90: t.at(0.1), P99: t.at(0.01)}, true
}

// at returns the value below which a share of all values lies; within a bin
// they are taken to be spread evenly.
func (t *tally) at(share float64) float64 {
	rank := share * float64(t.total)
	for i, n := range t.bins {
		if rank <= float64(n) && n > 0 {
			low, high := lowerEdge(i), lowerEdge(i+1)
			return low + (high-low)*rank/float64(n)
		}
		rank -= float64(n)
	}
	return lowerEdge(binCount)
}
