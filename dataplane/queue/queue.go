// Package queue has requests wait for a place at an endpoint instead of being
// refused. A model's queue hands every place that is freed to one of those who
// wait: the highest priority first, in turn among the keys of one priority, and
// first come, first served within a key.
package queue

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

// Queue is the line in front of one model. It outlives releases. The zero value
// has no room and no places.
type Queue struct {
	waiting atomic.Int64

	mu     sync.Mutex
	size   int
	wait   time.Duration
	seats  []seat
	list   []entry // in the order in which they are served
	seq    uint64
	pace   pace
	timer  *time.Timer // looks for places that come free without a release, while anyone waits
	closed Outcome     // what becomes of those who come, Pending while they may wait
}

// Seat is an endpoint at which a model has places.
type Seat struct {
	State          *upstream.State
	MaxConcurrency int
	Limits         []*limits.Counter
}

type seat struct {
	Seat
	dry time.Time // until when its provider allows no request
}

// entry is a waiter's place in line. Its round says how many of the same key
// are before it, which makes the keys of one priority take turns.
type entry struct {
	waiter *Waiter
	round  uint64
	seq    uint64
}

func (e *entry) before(o *entry) bool {
	switch {
	case e.waiter.Priority != o.waiter.Priority:
		return e.waiter.Priority > o.waiter.Priority
	case e.round != o.round:
		return e.round < o.round
	}
	return e.seq < o.seq
}

// recheck is how often a queue looks for places that no one has released: a
// breaker has closed, a health check has passed, a limit has room again.
const recheck = 50 * time.Millisecond

// Configure sets how many may wait, for how long, and for which places. Those
// who wait stay, also beyond a smaller size; those of whose endpoints none is
// left are refused.
func (q *Queue) Configure(size int, wait time.Duration, seats []Seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.size, q.wait = size, wait
	q.seats = q.seats[:0]
	for _, s := range seats {
		s.State.Notify(q.freed)
		q.seats = append(q.seats, seat{Seat: s})
	}
	for i := range slices.Backward(q.list) { // removing moves only what is behind
		if !slices.ContainsFunc(q.seats, q.list[i].waiter.wants) {
			q.remove(i).refuse(Removed)
		}
	}
	q.serve(time.Now())
}

// Close refuses those who wait and whoever comes: the model is gone, or the node
// stops.
func (q *Queue) Close(why Outcome) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = why
	for i := range slices.Backward(q.list) { // removing moves only what is behind
		q.remove(i).refuse(why)
	}
}

// Waiting is how many requests wait. It does not lock.
func (q *Queue) Waiting() int64 { return q.waiting.Load() }

// Settings are how many may wait, and for how long.
func (q *Queue) Settings() (size int, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size, q.wait
}

// RetryAfter is when a request that comes then would, at the pace at which
// places have become free, get one before its wait is over.
func (q *Queue) RetryAfter(now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	each := q.pace.estimate(now)
	return max(each, time.Duration(len(q.list)+1)*each-q.wait)
}

// join puts a waiter in line and serves it at once if there is a place that no
// one before it can use. If more wait than may, the last in line is refused:
// the newcomer, unless it comes before that one.
func (q *Queue) join(w *Waiter, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != Pending {
		w.refuse(q.closed)
		return
	}
	if len(q.list) == 0 {
		q.pace.begin(now)
	}
	q.seq++
	e := entry{waiter: w, round: q.round(w), seq: q.seq}
	at, _ := slices.BinarySearchFunc(q.list, e, func(o, e entry) int {
		if o.before(&e) {
			return -1
		}
		return 1
	})
	q.list = slices.Insert(q.list, at, e)
	q.waiting.Store(int64(len(q.list))) // before places are looked at: what is freed from now on is handed over
	q.serve(now)
	if last := len(q.list) - 1; last >= q.size {
		q.remove(last).refuse(Full)
	}
}

// round is that of a newcomer: the one being served, or the one after the last
// of its key.
func (q *Queue) round(w *Waiter) uint64 {
	round, first := uint64(0), true
	for i := range q.list {
		o := &q.list[i]
		if o.waiter.Priority != w.Priority {
			continue
		}
		if first { // in the order of rounds
			round, first = o.round, false
		}
		if o.waiter.Key == w.Key {
			round = max(round, o.round+1)
		}
	}
	return round
}

// leave takes a waiter out of the line, if it is still in it.
func (q *Queue) leave(w *Waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.IndexFunc(q.list, func(e entry) bool { return e.waiter == w }); i >= 0 {
		q.remove(i)
	}
}

// remove takes the i-th out of the line.
func (q *Queue) remove(i int) *Waiter {
	w := q.list[i].waiter
	q.list = slices.Delete(q.list, i, i+1)
	q.waiting.Store(int64(len(q.list)))
	if len(q.list) == 0 && q.timer != nil {
		q.timer.Stop()
	}
	return w
}

// freed is called when a place at an endpoint has been released.
func (q *Queue) freed(s *upstream.State) {
	if q.waiting.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.IndexFunc(q.seats, func(t seat) bool { return t.State == s }); i >= 0 {
		q.hand(&q.seats[i], time.Now())
	}
}

// serve hands out all places that there are, and looks again later if anyone
// still waits.
func (q *Queue) serve(now time.Time) {
	for i := range q.seats {
		for len(q.list) > 0 && q.hand(&q.seats[i], now) {
		}
	}
	if len(q.list) == 0 {
		return
	}
	if q.timer == nil {
		q.timer = time.AfterFunc(recheck, q.tick)
	} else {
		q.timer.Reset(recheck)
	}
}

func (q *Queue) tick() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.list) > 0 {
		q.serve(time.Now())
	}
}

// hand gives one place at an endpoint, if it has one, to the first in line that
// may go there. The first one keeps the endpoint for itself: those behind it do
// not pass it by asking for less.
func (q *Queue) hand(s *seat, now time.Time) bool {
	if now.Before(s.dry) || !s.State.Admits(now) || s.MaxConcurrency > 0 && s.State.InFlight.Load() >= int64(s.MaxConcurrency) {
		return false
	}
	for i := 0; i < len(q.list); {
		e := q.list[i]
		switch e.waiter.take(s, now) {
		case taken:
			q.pace.note(now)
			q.remove(i)
			return true
		case unwanted:
			i++
		case settled: // elsewhere, and about to leave
			q.remove(i)
		case unavailable:
			return false
		}
	}
	return false
}
