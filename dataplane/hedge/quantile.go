package hedge

import (
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	// Each power of two of microseconds has that many bins, so that the estimate
	// is at most an eighth above the true value.
	binBits = 3
	bins    = 40 << binBits
	// enough is how many observations an estimate takes, every how often it is
	// made again, and memory how many observations it looks back on: then all
	// count half.
	enough = 100
	every  = 32
	memory = 4096
)

// quantile estimates the 95th percentile of times. An observation costs two
// atomic additions. The zero value has seen nothing.
type quantile struct {
	counts [bins]atomic.Uint32
	seen   atomic.Uint64
	value  atomic.Int64 // nanoseconds, 0 while too little is known
}

func (q *quantile) estimate() (time.Duration, bool) {
	v := q.value.Load()
	return time.Duration(v), v > 0
}

func (q *quantile) note(d time.Duration) {
	q.counts[binOf(d)].Add(1)
	if n := q.seen.Add(1); n >= enough && n%every == 0 {
		q.update()
	}
}

// update makes the estimate again. Two at the same time may halve twice.
func (q *quantile) update() {
	total := uint64(0)
	for i := range q.counts {
		total += uint64(q.counts[i].Load())
	}
	left := total / 20
	for i := bins - 1; i >= 0; i-- {
		n := uint64(q.counts[i].Load())
		if n > left {
			q.value.Store(int64(upperEdge(i)))
			break
		}
		left -= n
	}
	if total < memory {
		return
	}
	for i := range q.counts {
		if n := q.counts[i].Load(); n > 0 {
			q.counts[i].Add(-(n - n/2)) // what comes in between is not lost
		}
	}
}

// binOf is the bin of a time: its power of two, and the bits below the first.
func binOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 1<<binBits))
	exponent := bits.Len64(us) - 1
	return min((exponent-binBits)<<binBits+int(us>>(exponent-binBits))-1<<binBits, bins-1)
}

// upperEdge is the least time above a bin.
func upperEdge(bin int) time.Duration {
	exponent := bin >> binBits
	return time.Duration((bin&(1<<binBits-1)+1<<binBits+1)<<exponent) * time.Microsecond
}
