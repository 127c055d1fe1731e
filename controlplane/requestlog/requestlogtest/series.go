package requestlogtest

import (
	"testing"
	"time"

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
	f := func(q requestlog.SeriesQuery, points int, requests int64, first time.Time) {
		t.Helper()
		list, err := s.Series(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var sum, errors, tokens int64
		for _, r := range list {
			sum, errors, tokens = sum+r.RequestCount, errors+r.ErrorCount, tokens+r.TotalTokens
			if r.P50TTFTMS < 20 || r.P95TTFTMS < r.P50TTFTMS || r.P95TTFTMS > 80 {
				t.Errorf("%+v: time to first token %d, %d", q, r.P50TTFTMS, r.P95TTFTMS)
			}
		}
		if len(list) != points || sum != requests || !list[len(list)-1].Time.Equal(first) {
			t.Errorf("%+v: %d points, %d requests, the first %v", q, len(list), sum, list[len(list)-1].Time)
		}
		groups, err := s.Groups(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var all requestlog.Figures
		for _, g := range groups {
			all.RequestCount, all.ErrorCount, all.TotalTokens = all.RequestCount+g.RequestCount, all.ErrorCount+g.ErrorCount, all.TotalTokens+g.TotalTokens
		}
		if len(q.Names) == 0 && (all.RequestCount != sum || all.ErrorCount != errors || all.TotalTokens != tokens) {
			t.Errorf("%+v: groups sum up to %+v, points to %d, %d, %d", q, all, sum, errors, tokens)
		}
	}
	from := requestlog.StatsQuery{Since: Start}
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByMinute}, 5, events, Start)
	f(requestlog.SeriesQuery{StatsQuery: requestlog.StatsQuery{Since: Start.Add(90 * time.Second)}, Step: requestlog.ByMinute}, 4, events-600, Start.Add(time.Minute))
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByHour}, 2, events, Start.Truncate(time.Hour))
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByDay}, 2, events, Start.Truncate(24*time.Hour))
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByDay, By: "model"}, 6, events, Start.Truncate(24*time.Hour))
	f(requestlog.SeriesQuery{StatsQuery: from, Step: requestlog.ByMinute, By: "provider", Names: []string{"vLLM"}}, 5, events/2, Start)
	f(requestlog.SeriesQuery{StatsQuery: requestlog.StatsQuery{Since: Start, Model: "model-1"}, Step: requestlog.ByMinute}, 5, events/3, Start)
	if list, err := s.Series(t.Context(), requestlog.SeriesQuery{StatsQuery: requestlog.StatsQuery{Since: Start.Add(time.Hour)}, Step: requestlog.ByMinute}); err != nil || len(list) != 0 {
		t.Errorf("nothing: %v, %v", list, err)
	}
}
