package upstream

import (
	"iter"
	"sync/atomic"
	"time"
)

// ring keeps one slot for each of the last periods. A slot is never cleared:
// the first writer of a new period puts a fresh one in its place, and a writer
// that comes late is added to a slot that is not read any more.
type ring[S any] struct {
	period time.Duration
	slots  []atomic.Pointer[slot[S]]
}

type slot[S any] struct {
	number int64 // of the period, counted from 1970
	data   S
}

func newRing[S any](period time.Duration, slots int) ring[S] {
	return ring[S]{period: period, slots: make([]atomic.Pointer[slot[S]], slots)}
}

// at returns the slot of the period that now is in.
func (r *ring[S]) at(now time.Time) *S {
	number := now.UnixNano() / int64(r.period)
	p := &r.slots[number%int64(len(r.slots))]
	for {
		old := p.Load()
		if old != nil && old.number >= number {
			return &old.data
		}
		fresh := &slot[S]{number: number}
		if p.CompareAndSwap(old, fresh) {
			return &fresh.data
		}
	}
}

// last returns the slots of the n periods that end with now's, those in which
// something happened.
func (r *ring[S]) last(now time.Time, n int) iter.Seq[*S] {
	number := now.UnixNano() / int64(r.period)
	return func(yield func(*S) bool) {
		for i := range r.slots {
			s := r.slots[i].Load()
			if s != nil && s.number > number-int64(n) && s.number <= number && !yield(&s.data) {
				return
			}
		}
	}
}
