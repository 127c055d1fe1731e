package dispatch_test

import (
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/dispatch"
)

// take counts how many further attempts a budget grants at once.
func take(b *dispatch.Budget, at time.Time, tries int) (granted int) {
	for range tries {
		if b.Take(at) {
			granted++
		}
	}
	return granted
}

func TestBudget(t *testing.T) {
	now := time.Now()
	f := func(requests, want int) {
		t.Helper()
		b := &dispatch.Budget{}
		for range requests {
			b.Request()
		}
		if got := take(b, now, 10_000); got != want {
			t.Errorf("after %d requests %d further attempts, want %d", requests, got, want)
		}
		if got := take(b, now, 100); got != 0 {
			t.Errorf("%d more in the same second", got)
		}
		if got := take(b, now.Add(time.Second), 100); got != 10 {
			t.Errorf("%d in the next second, want 10", got)
		}
	}
	f(0, 10)
	f(5, 10) // what is earned is taken from the first ten, too
	f(100, 20)
	f(1000, 200)
	f(1_000_000, 2000) // no more is saved up
}

func BenchmarkBudget(b *testing.B) {
	budget := &dispatch.Budget{}
	now := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			budget.Request()
			if i%5 == 0 {
				budget.Take(now)
			}
		}
	})
}
