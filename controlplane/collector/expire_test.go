package collector_test

import (
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/eventually"
)

// Each kind of what is stored has a retention of its own, and what came after an
// erasure goes, too.
func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	age := time.Since(requestlogtest.Start)
	f := func(name string, keep collector.Retention, rows, contents, rollups int) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			r := newRig(t, requestlogtest.SQLite)
			s := r.db.Open(t)
			if _, err := s.Erase(t.Context(), requestlog.Erasure{User: "user-1", Before: requestlogtest.Start.Add(day)}, time.Time{}); err != nil {
				t.Fatal(err)
			}
			list := requestlogtest.Rows(t, 0, 10) // two of user-1
			for _, n := range []int{12, 13} {
				u := requestlogtest.Event(n)
				u.Prompt = "a prompt"
				list = append(list, requestlogtest.Row(t, u))
			}
			if _, err := s.Insert(t.Context(), list); err != nil {
				t.Fatal(err)
			}
			r.start(collector.Options{Store: s, Retention: keep})
			eventually.True(t, "only what is to be kept", func() bool {
				return r.db.Int(t, "SELECT count(*) FROM api_logs") == rows && r.db.Int(t, "SELECT count(*) FROM api_contents") == contents &&
					r.db.Int(t, "SELECT coalesce(sum(request_count), 0) FROM api_usage") == rollups
			})
		})
	}
	f("everything", collector.Retention{}, 10, 2, 10)
	f("longer", collector.Retention{Rows: age + 2*day, Contents: age + 2*day, Rollups: age + 2*day}, 10, 2, 10)
	f("contents", collector.Retention{Contents: day}, 10, 0, 10)
	f("roll-ups", collector.Retention{Rollups: day}, 10, 2, 0)
	f("rows", collector.Retention{Rows: day}, 0, 0, 10)
}
