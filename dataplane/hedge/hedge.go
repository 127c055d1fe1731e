// Package hedge says when a request that has no content yet is sent to a second
// endpoint, too: after a fixed time or after the time in which 95 % of a model's
// requests have got theirs, and within a budget.
package hedge

import (
	"sync/atomic"
	"time"
)

// Policy is what a model's requests are hedged by. It outlives releases, never
// locks and does not allocate. The zero value hedges nothing.
type Policy struct {
	after  atomic.Int64 // nanoseconds, 0 for the 95th percentile
	share  atomic.Int64 // of the requests that may be hedged, in millionths
	saved  atomic.Int64 // what requests have earned, in millionths of a hedge
	stream quantile     // the time to the first content of streams
	unary  quantile     // and to unary answers
}

const (
	one = 1_000_000
	// maxSaved bounds the hedges that are saved up for the moment at which an
	// endpoint becomes slow.
	maxSaved = 10 * one
)

// Configure sets when a request is hedged, 0 for the 95th percentile, and which
// share of the requests may be, from 0 to 1.
func (p *Policy) Configure(after time.Duration, share float64) {
	p.after.Store(int64(after))
	p.share.Store(int64(share * one))
}

// Request counts a request, which earns its share of a hedge.
func (p *Policy) Request() {
	if p.saved.Load() < maxSaved {
		p.saved.Add(p.share.Load())
	}
}

// Take asks for a hedge.
func (p *Policy) Take() bool {
	for {
		n := p.saved.Load()
		if n < one {
			return false
		}
		if p.saved.CompareAndSwap(n, n-one) {
			return true
		}
	}
}

// After is how long a request waits for its first content before it is hedged;
// false while too little is known of the model's usual time.
func (p *Policy) After(streamed bool) (time.Duration, bool) {
	if after := p.after.Load(); after > 0 {
		return time.Duration(after), true
	}
	return p.times(streamed).estimate()
}

// Note takes in how long a request has waited for its first content, or has
// waited at least.
func (p *Policy) Note(streamed bool, took time.Duration) { p.times(streamed).note(took) }

func (p *Policy) times(streamed bool) *quantile {
	if streamed {
		return &p.stream
	}
	return &p.unary
}
