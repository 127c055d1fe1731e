package dispatch

import (
	"sync/atomic"
	"time"
)

// Policy is what a node holds all its requests to. The zero value bounds nothing.
type Policy struct {
	// Deadline bounds all attempts of a request together: a stream until its
	// first content, any other until its answer. 0 is none.
	Deadline time.Duration
	// Budget limits retries, nil does not.
	Budget *Budget
}

const (
	// perRetry is how many requests earn one retry.
	perRetry = 5
	// floor is how many retries per second are always allowed.
	floor = 10
	// maxSaved bounds the retries that are saved up for the moment at
	// which an upstream dies with all that it was answering.
	maxSaved = 2000
)

// Budget limits a node's retries to a share of its requests, so that
// an upstream in trouble is not given more to do by those who wait for it. It
// never locks. The zero value has saved nothing yet.
type Budget struct {
	saved  atomic.Int64  // requests that no retry was taken for yet
	second atomic.Uint64 // the second and, in the lowest 16 bits, its attempts
}

// Request counts a new request.
func (b *Budget) Request() {
	if b.saved.Load() < maxSaved*perRetry {
		b.saved.Add(1)
	}
}

// Take asks for a retry.
func (b *Budget) Take(now time.Time) bool {
	early := b.early(now)
	return b.spend() || early
}

// spend takes what earned one attempt.
func (b *Budget) spend() bool {
	for {
		n := b.saved.Load()
		if n < perRetry {
			return false
		}
		if b.saved.CompareAndSwap(n, n-perRetry) {
			return true
		}
	}
}

// early counts an attempt and reports whether it is among the first of its second.
func (b *Budget) early(now time.Time) bool {
	const bits = 16
	second := uint64(now.Unix()) << bits
	for {
		old := b.second.Load()
		next := second + 1
		if old>>bits == second>>bits {
			if next = old + 1; next&(1<<bits-1) == 0 {
				return false // more than can be counted
			}
		}
		if b.second.CompareAndSwap(old, next) {
			return next&(1<<bits-1) <= floor
		}
	}
}
