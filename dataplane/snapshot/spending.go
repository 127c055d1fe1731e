package snapshot

import (
	"math"
	"sync/atomic"
	"time"
)

// Spending is what a key has cost at this node since the node started, in
// pico-dollars. Requests add to it without locks.
type Spending struct {
	total            atomic.Int64
	day, week, month atomic.Pointer[period]
	// Refusals bounds how many of a key's refused requests are recorded.
	Refusals Refusals
}

// Spent is a reading of it. Days, weeks (from Monday) and months are UTC's.
type Spent struct{ Total, Day, Week, Month int64 }

// period is one day, week or month; it is replaced, never cleared.
type period struct {
	first, next int64 // unix seconds
	pico        atomic.Int64
}

// Add takes in the cost of a request.
func (s *Spending) Add(now time.Time, pico int64) {
	add(&s.total, pico)
	add(&current(&s.day, now, startOfDay, 0, 1).pico, pico)
	add(&current(&s.week, now, startOfWeek, 0, 7).pico, pico)
	add(&current(&s.month, now, startOfMonth, 1, 0).pico, pico)
}

// add adds what is not negative. A sum that would overflow stays at its most.
func add(to *atomic.Int64, pico int64) {
	if to.Add(pico) < 0 {
		to.Store(math.MaxInt64)
	}
}

// Read returns what was spent up to now.
func (s *Spending) Read(now time.Time) Spent {
	of := func(p *period) int64 {
		if p == nil || !p.has(now) {
			return 0
		}
		return p.pico.Load()
	}
	return Spent{Total: s.total.Load(), Day: of(s.day.Load()), Week: of(s.week.Load()), Month: of(s.month.Load())}
}

func (p *period) has(now time.Time) bool {
	t := now.Unix()
	return p.first <= t && t < p.next
}

// current returns the period that now is in and makes it if it has just begun.
func current(at *atomic.Pointer[period], now time.Time, start func(time.Time) time.Time, months, days int) *period {
	for {
		old := at.Load()
		if old != nil && (old.has(now) || now.Unix() < old.first) {
			return old
		}
		first := start(now.UTC())
		fresh := &period{first: first.Unix(), next: first.AddDate(0, months, days).Unix()}
		if at.CompareAndSwap(old, fresh) {
			return fresh
		}
	}
}

func startOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func startOfWeek(t time.Time) time.Time {
	return startOfDay(t).AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

func startOfMonth(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}
