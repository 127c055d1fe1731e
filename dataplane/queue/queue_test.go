package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/dataplane/queue"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

// line is a queue before one endpoint with a single place, which is taken.
type line struct {
	t     *testing.T
	q     queue.Queue
	state *upstream.State
	place upstream.Place
	names map[*queue.Waiter]string
	all   []*queue.Waiter
}

func newLine(t *testing.T, size int) *line {
	l := &line{t: t, state: upstream.NewState(upstream.DefaultBreaker()), names: map[*queue.Waiter]string{}}
	l.q.Configure(size, time.Minute, []queue.Seat{{State: l.state, MaxConcurrency: 1}})
	var ok bool
	if l.place, ok = l.state.Acquire(time.Now(), 1); !ok {
		t.Fatal("the endpoint has no place")
	}
	return l
}

// wait has a request of a key wait for the endpoint.
func (l *line) wait(key string, priority int) *queue.Waiter {
	l.t.Helper()
	w := &queue.Waiter{Key: key, Priority: priority, Wants: []*upstream.State{l.state}}
	l.names[w] = fmt.Sprintf("%s%d", key, len(l.all)+1)
	l.all = append(l.all, w)
	w.Join([]*queue.Queue{&l.q}, time.Now())
	return w
}

func (l *line) is(w *queue.Waiter, want queue.Outcome) {
	l.t.Helper()
	if got, _ := w.Outcome(); got != want {
		l.t.Errorf("%s: outcome %d, want %d", l.names[w], got, want)
	}
}

// drain frees the place again and again, and lists who gets it.
func (l *line) drain() (order []string) {
	l.t.Helper()
	for range l.all {
		l.place.Release()
		i := slices.IndexFunc(l.all, func(w *queue.Waiter) bool {
			outcome, grant := w.Outcome()
			if outcome != queue.Granted || !grant.Place.Held() {
				return false
			}
			l.place = grant.Place
			return true
		})
		if i < 0 {
			return order
		}
		order = append(order, l.names[l.all[i]])
	}
	return order
}

// The highest priority goes first; keys of one priority take turns, and the
// requests of a key keep their order.
func TestPlacesAreHandedOutInOrder(t *testing.T) {
	l := newLine(t, 10)
	for _, key := range []string{"a", "a", "a", "b"} {
		l.wait(key, 0)
	}
	l.wait("c", 10)
	l.wait("b", 0)
	if n := l.q.Waiting(); n != 6 {
		t.Errorf("%d wait", n)
	}
	if got, want := l.drain(), []string{"c5", "a1", "b4", "a2", "b6", "a3"}; !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
	if n := l.q.Waiting(); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

func TestAFullQueueRefusesTheLast(t *testing.T) {
	l := newLine(t, 2)
	first, second, third := l.wait("a", 0), l.wait("b", 0), l.wait("c", 0)
	l.is(third, queue.Full)
	urgent := l.wait("d", 5)
	l.is(second, queue.Full) // it was the last in line
	l.is(urgent, queue.Pending)
	l.is(first, queue.Pending)
	first.Leave()
	l.is(first, queue.Left)
	if got := l.drain(); !slices.Equal(got, []string{"d4"}) {
		t.Errorf("served %v", got)
	}
}

// A place that was granted to a request whose client has left goes to the next.
func TestAPlaceThatIsNotTakenIsHandedOn(t *testing.T) {
	l := newLine(t, 2)
	gone, next := l.wait("a", 0), l.wait("b", 0)
	l.place.Release()
	gone.Leave()
	outcome, grant := next.Outcome()
	if outcome != queue.Granted || grant.State != l.state {
		t.Fatalf("the next one has %d, %+v", outcome, grant)
	}
	grant.Place.Release()
	if n := l.state.InFlight.Load(); n != 0 {
		t.Errorf("%d places are still taken", n)
	}
}

func TestWhoWaitsIsToldWhenNothingCanCome(t *testing.T) {
	l := newLine(t, 3)
	removed := l.wait("a", 0)
	other := upstream.NewState(upstream.DefaultBreaker())
	l.q.Configure(3, time.Minute, []queue.Seat{{State: other, MaxConcurrency: 1}})
	l.is(removed, queue.Removed)
	l.q.Configure(3, time.Minute, []queue.Seat{{State: l.state, MaxConcurrency: 1}})
	waiting := l.wait("a", 0)
	l.q.Close(queue.Draining)
	l.is(waiting, queue.Draining)
	l.is(l.wait("b", 0), queue.Draining)
}

// A place that comes free without a release, as when a limit is raised, is found; and
// the time to come back follows the pace at which places become free.
func TestPlacesAreLookedForAndTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 3)
		first := l.wait("a", 0)
		l.wait("b", 0)
		time.Sleep(2 * time.Second)
		l.place.Release() // two seconds after the first began to wait
		outcome, grant := first.Outcome()
		if outcome != queue.Granted {
			t.Fatalf("the first has %d", outcome)
		}
		if got := l.q.RetryAfter(time.Now()); got != 2*time.Second {
			t.Errorf("come back after %s", got)
		}
		third := l.wait("c", 0)
		l.state.Pause(time.Now().Add(time.Second), nil)
		grant.Place.Release() // the place is free, but the endpoint takes nothing for a second
		l.is(third, queue.Pending)
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if n := l.q.Waiting(); n != 1 {
			t.Errorf("%d wait, want the last one only", n)
		}
		l.q.Close(queue.Draining)
	})
}
