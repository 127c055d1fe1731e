package requestlogtest

import (
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

// Rows are priced again while they are erased, pseudonymised and stored, and the
// roll-ups are those of the rows in the end, whatever came first.
func testRepriceErase(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, numbered(t, 0, 900), 900)
	var running sync.WaitGroup
	for round, price := range []string{"3", "5"} {
		running.Go(func() {
			q := requestlog.RepriceQuery{
				Since: Start.Add(-time.Hour), Until: Start.Add(24 * time.Hour), Now: Start.Add(48 * time.Hour),
				Prices: map[string][]requestlog.Prices{"model:local-8000": {{List: priceList(t, wire.Pricing{Prompt: price, Completion: "15", CacheRead: "1", CacheWrite: "1"})}}},
			}
			for {
				got, err := s.Reprice(t.Context(), q)
				if err != nil {
					t.Errorf("round %d: %v", round, err)
					return
				}
				if q.After = got.Next; q.After == "" {
					return
				}
			}
		})
	}
	for _, e := range []requestlog.Erasure{{User: "user-1", Before: Start.Add(24 * time.Hour)}, {User: "user-2", Before: Start.Add(24 * time.Hour), Pseudonymise: true}} {
		running.Go(func() {
			if done, err := s.Erase(t.Context(), e, time.Time{}); err != nil || !done.Next.IsZero() {
				t.Errorf("%+v: %+v, %v", e, done, err)
			}
		})
	}
	running.Go(func() { // of the same slots
		for first := 900; first < 1200; first += 100 {
			if _, err := s.Insert(t.Context(), numbered(t, first, first+100)); err != nil {
				t.Error(err)
			}
		}
	})
	running.Wait()
	checkCosts(t, db)
	for range 2 { // what came later, then all of it at rest
		if _, err := s.EraseLate(t.Context()); err != nil {
			t.Error(err)
		}
		sameAsRows(t, db)
		repriceAll(t, s, requestlog.RepriceQuery{
			Since: Start.Add(-time.Hour), Until: Start.Add(24 * time.Hour), Now: Start.Add(48 * time.Hour),
			Prices: map[string][]requestlog.Prices{"model:local-8000": {{List: priceList(t, wire.Pricing{Prompt: "7", Completion: "7"})}}},
		})
	}
	sameAsRows(t, db)
	checkCosts(t, db)
	if n := db.Int(t, "SELECT count(*) FROM api_logs WHERE user_id IN ('user-1', 'user-2')"); n > 0 {
		t.Errorf("%d rows of erased users", n)
	}
	if n := db.Int(t, "SELECT count(*) FROM api_usage WHERE user_id IN ('user-1', 'user-2')"); n > 0 {
		t.Errorf("%d roll-ups of erased users", n)
	}
}
