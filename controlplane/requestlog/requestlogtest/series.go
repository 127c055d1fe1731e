package requestlogtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// A series counts every request once, in whatever steps, and agrees with the
// sums of its period.
func testSeries(t *testing.T, db *Database) {
	s := db.Open(t)
	const events = 3000 // five minutes, over the end of an hour and a day
	for first := 0; first < events; first += 750 {
		insert(t, s, Rows(t, first, first+750), 750)
	}
	f := func(q requestlog.SeriesQuery, points, groups int, requests int64, first time.Time) {
		t.Helper()
		found, err := s.Series(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var sum, parts requestlog.SeriesFigures
		for _, p := range found.Points {
			sum.Requests, sum.Errors, sum.Tokens, sum.CostPico = sum.Requests+p.Requests, sum.Errors+p.Errors, sum.Tokens+p.Tokens, sum.CostPico+p.CostPico
			if p.P50TTFT < 20 || p.P95TTFT < p.P50TTFT || p.P95TTFT > 80 {
				t.Errorf("%+v: time to first token %d, %d", q, p.P50TTFT, p.P95TTFT)
			}
		}
		for _, g := range found.Groups {
			parts.Requests, parts.Errors, parts.Tokens, parts.CostPico = parts.Requests+g.Requests, parts.Errors+g.Errors, parts.Tokens+g.Tokens, parts.CostPico+g.CostPico
			if g.P50TTFT < 20 || g.P95TTFT > 80 || len(g.Points) != points {
				t.Errorf("%+v: group %+v", q, g)
			}
		}
		total := found.Total
		if total.P50TTFT < 20 || total.P95TTFT < total.P50TTFT || total.P95TTFT > 80 {
			t.Errorf("%+v: in all %+v", q, total)
		}
		if total.P50TTFT, total.P95TTFT = 0, 0; total != sum || groups > 0 && parts != sum {
			t.Errorf("%+v: points sum up to %+v, groups to %+v, in all %+v", q, sum, parts, total)
		}
		if len(found.Points) != points || len(found.Groups) != groups || sum.Requests != requests || sum.Errors == 0 || sum.CostPico == 0 || !found.Points[0].Time.Equal(first) {
			t.Errorf("%+v: %d points from %v, %d groups, %+v", q, len(found.Points), found.Points[0].Time, len(found.Groups), sum)
		}
	}
	from := requestlog.StatsQuery{Since: Start}
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByMinute}, 5, 0, events, Start)
	f(requestlog.SeriesQuery{StatsQuery: requestlog.StatsQuery{Since: Start.Add(90 * time.Second)}, Step: requestlog.ByMinute}, 4, 0, events-600, Start.Add(time.Minute))
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByHour}, 2, 0, events, Start.Truncate(time.Hour))
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByDay}, 2, 0, events, Start.Truncate(24*time.Hour))
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByDay, By: "model"}, 2, 3, events, Start.Truncate(24*time.Hour))
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByMinute, By: "node"}, 5, 2, events, Start)
	f(requestlog.SeriesQuery{StatsQuery: requestlog.StatsQuery{Since: Start, Model: "model-1"}, Step: requestlog.ByMinute}, 5, 0, events/3, Start)
	none, err := s.Series(t.Context(), requestlog.SeriesQuery{StatsQuery: requestlog.StatsQuery{Since: Start.Add(time.Hour)}, Step: requestlog.ByMinute})
	if err != nil || len(none.Points) != 0 || none.Total != (requestlog.SeriesFigures{}) {
		t.Errorf("nothing: %+v, %v", none, err)
	}
}

// Sums of past days are what their histograms are, also after events that come late and after erasures.
func testSumUp(t *testing.T, db *Database) {
	s := db.Open(t)
	postgres := db.Config.Backend == database.BackendPostgres
	same := func(what string, summed int) {
		t.Helper()
		if n := 0; postgres {
			if n = db.Int(t, "SELECT count(*) FROM api_ttft_days"); n != summed {
				t.Errorf("%s: %d days are summed up, want %d", what, n, summed)
			}
		}
		for _, q := range []requestlog.SeriesQuery{{By: "model"}, {By: "provider"}, {By: "endpoint"}, {By: "node"}, {}, {StatsQuery: requestlog.StatsQuery{Model: "model-1"}}, {StatsQuery: requestlog.StatsQuery{Node: "node-1"}, By: "model"}} {
			q.Since = Start.AddDate(0, 0, -1)
			var lists [2]requestlog.Series
			for i, step := range []requestlog.Step{requestlog.ByHour, requestlog.ByDay} {
				q.Step = step
				found, err := s.Series(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for j := range found.Groups {
					found.Groups[j].Points = nil
				}
				found.Points = nil
				lists[i] = found
			}
			if fmt.Sprint(lists[0]) != fmt.Sprint(lists[1]) {
				t.Errorf("%s, %+v: by the day\n%+v\nby the hour\n%+v", what, q, lists[1], lists[0])
			}
		}
	}
	sumUp := func(now time.Time) {
		t.Helper()
		if err := s.SumUp(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	sumUp(Start)                         // of nothing
	insert(t, s, Rows(t, 0, 2000), 2000) // 1200 of them before midnight
	same("not summed up", 0)
	sumUp(Start.Add(30 * time.Minute))
	same("in the hour after midnight", 0)
	sumUp(Start.Add(2 * time.Hour))
	same("in the next hour", 1)
	sumUp(Start.AddDate(0, 0, 3))
	same("days later", 3)
	insert(t, s, Rows(t, 2000, 2500), 500)
	same("after a late event", 2)
	sumUp(Start.AddDate(0, 0, 3))
	same("summed up again", 3)
	eraseAll(t, s, requestlog.Erasure{User: "user-1", Before: Start.AddDate(0, 0, 1)})
	same("after an erasure", 1)
	sumUp(Start.AddDate(0, 0, 3))
	same("after an erasure, summed up again", 3)
}
