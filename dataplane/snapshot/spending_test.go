package snapshot_test

import (
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
)

func TestSpendingByDayWeekAndMonth(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var s snapshot.Spending
	f := func(now string, want snapshot.Spent) {
		t.Helper()
		if got := s.Read(at(now)); got != want {
			t.Errorf("at %s: %+v, want %+v", now, got, want)
		}
	}
	f("2026-07-01T00:00:00Z", snapshot.Spent{})
	s.Add(at("2026-06-28T23:59:59Z"), 1) // a Sunday
	f("2026-06-28T23:59:59Z", snapshot.Spent{Total: 1, Day: 1, Week: 1, Month: 1})
	f("2026-06-29T00:00:00Z", snapshot.Spent{Total: 1, Month: 1})
	s.Add(at("2026-06-29T00:00:00Z"), 10) // Monday
	s.Add(at("2026-06-30T02:00:00+05:00"), 100)
	f("2026-06-29T23:00:00Z", snapshot.Spent{Total: 111, Day: 110, Week: 110, Month: 111})
	s.Add(at("2026-07-01T12:00:00Z"), 1000)
	f("2026-07-01T12:00:00Z", snapshot.Spent{Total: 1111, Day: 1000, Week: 1110, Month: 1000})
	f("2026-07-05T12:00:00Z", snapshot.Spent{Total: 1111, Week: 1110, Month: 1000})
	f("2026-08-01T00:00:00Z", snapshot.Spent{Total: 1111})
}

func TestSpendingIsExactUnderConcurrency(t *testing.T) {
	var s snapshot.Spending
	start := time.Date(2026, 7, 1, 23, 59, 0, 0, time.UTC)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				s.Add(start, 3)
			}
		})
	}
	wg.Wait()
	if got := s.Read(start); got != (snapshot.Spent{Total: 24_000, Day: 24_000, Week: 24_000, Month: 24_000}) {
		t.Errorf("%+v", got)
	}
}
