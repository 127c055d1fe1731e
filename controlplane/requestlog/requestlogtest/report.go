package requestlogtest

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

// spread returns events over four days, seven minutes apart, of several keys.
func spread(t *testing.T, s requestlog.Store) (events []*wire.Usage) {
	t.Helper()
	var rows []*requestlog.Row
	for n := range 4 * 24 * 60 / 7 {
		u := Event(n)
		at := time.Date(2026, 3, 28, 0, 0, 30, 0, time.UTC).Add(time.Duration(n) * 7 * time.Minute)
		u.RequestID, u.Time, u.KeyID = fmt.Sprintf("gen-%d-%04d", at.Unix(), n), at.UnixMicro(), fmt.Sprintf("k_%d", n%3)
		events, rows = append(events, u), append(rows, Row(t, u))
	}
	insert(t, s, rows, len(rows))
	return events
}

// sum adds up some events by hand.
type sum struct {
	requests, tokens int64
	cost             big.Rat
}

func (s *sum) add(requests, tokens int64, cost string) {
	s.requests += requests
	s.tokens += tokens
	if r, ok := new(big.Rat).SetString(cost); ok {
		s.cost.Add(&s.cost, r)
	}
}

func (s *sum) String() string {
	return fmt.Sprintf("%d requests, %d tokens, %s USD", s.requests, s.tokens, s.cost.FloatString(12))
}

// checkReport compares a report with what the events add up to.
func checkReport(t *testing.T, s requestlog.Store, q requestlog.ReportQuery, events []*wire.Usage, group func(u *wire.Usage, at time.Time) string) {
	t.Helper()
	list, err := s.Report(t.Context(), q)
	if err != nil {
		t.Errorf("%+v: %v", q, err)
		return
	}
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	want, got := map[string]*sum{}, map[string]*sum{}
	at := func(m map[string]*sum, name string) *sum {
		if m[name] == nil {
			m[name] = new(sum)
		}
		return m[name]
	}
	for _, u := range events {
		when := time.UnixMicro(u.Time)
		if when.Before(q.Since) || !q.Until.IsZero() && !when.Before(q.Until) || q.Filters.Key != "" && q.Filters.Key != u.KeyID {
			continue
		}
		at(want, group(u, when.In(zone))).add(1, u.PromptTokens+u.CompletionTokens, u.CostUSD)
	}
	var names []string
	for _, r := range list {
		name := strings.Join([]string{r.Period, r.Model, r.Provider, r.Endpoint, r.Node, r.Key, r.User}, "|")
		at(got, name).add(r.RequestCount, r.TotalTokens, r.CostUSD)
		names = append(names, name)
	}
	if len(names) != len(want) || len(names) == 0 || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("%+v: %d lines, want %d", q, len(names), len(want))
	}
	for name, w := range want {
		if g := at(got, name); g.String() != w.String() {
			t.Errorf("%+v: %s has %s, want %s", q, name, g, w)
		}
	}
}

// Reports are exact to the pico-dollar, whatever they are by and wherever a day
// begins, the day included on which the clocks change.
func testReport(t *testing.T, db *Database) {
	s := db.Open(t)
	events := spread(t, s)
	for _, name := range []string{"UTC", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		checkReport(t, s, requestlog.ReportQuery{By: []string{"key", "day"}, Zone: zone}, events, func(u *wire.Usage, at time.Time) string {
			return at.Format(time.DateOnly) + "|||||" + u.KeyID + "|"
		})
		since := time.Date(2026, 3, 29, 0, 0, 0, 0, zone)
		checkReport(t, s, requestlog.ReportQuery{By: []string{"hour"}, Zone: zone, Since: since, Until: since.AddDate(0, 0, 1)}, events, func(_ *wire.Usage, at time.Time) string {
			return at.Add(-time.Duration(at.Minute())*time.Minute-time.Duration(at.Second())*time.Second).Format(time.RFC3339) + "||||||"
		})
	}
	checkReport(t, s, requestlog.ReportQuery{By: []string{"month"}}, events, func(_ *wire.Usage, at time.Time) string { return at.Format("2006-01") + "||||||" })
	checkReport(t, s, requestlog.ReportQuery{By: []string{"week", "user", "provider"}}, events, func(u *wire.Usage, at time.Time) string {
		monday := at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
		return monday.Format(time.DateOnly) + "||" + u.Provider + "||||" + u.UserID
	})
	checkReport(t, s, requestlog.ReportQuery{By: []string{"model", "node"}, Filters: requestlog.Names{Key: "k_1"}}, events, func(u *wire.Usage, _ time.Time) string {
		return "|" + u.Model + "|||" + u.Node + "||"
	})
}

// Bounds are kept to the second, within a quarter of an hour, too.
func testReportBounds(t *testing.T, db *Database) {
	s := db.Open(t)
	if list, err := s.Report(t.Context(), requestlog.ReportQuery{By: []string{"day"}}); err != nil || len(list) != 0 {
		t.Errorf("an empty log: %+v, %v", list, err)
	}
	events := spread(t, s)
	at := func(u *wire.Usage) time.Time { return time.UnixMicro(u.Time) }
	all := func(*wire.Usage, time.Time) string { return "|||||k_1|" }
	for _, bounds := range [][2]time.Time{
		{at(events[1]), at(events[2])},                      // one event
		{at(events[1]), at(events[100])},                    // both ends within slots
		{at(events[1]).Add(time.Second), at(events[101])},   // just after an event
		{at(events[3]).Truncate(time.Hour), at(events[40])}, // one end
		{at(events[3]), {}},                                 // until now
	} {
		checkReport(t, s, requestlog.ReportQuery{Since: bounds[0], Until: bounds[1], By: []string{"key"}, Filters: requestlog.Names{Key: "k_1"}}, events, all)
	}
	for _, bad := range []requestlog.ReportQuery{
		{},
		{By: []string{"colour"}},
		{By: []string{"key", "key"}},
		{By: []string{"day", "week"}},
		{By: []string{"hour"}, Since: time.Unix(0, 0)},
		{By: []string{"model", "key", "user", "node"}},
	} {
		if _, err := s.Report(t.Context(), bad); !errors.Is(err, requestlog.ErrRejected) {
			t.Errorf("%+v: error %v, want %v", bad, err, requestlog.ErrRejected)
		}
	}
	if list, err := s.Report(t.Context(), requestlog.ReportQuery{By: []string{"hour"}, Since: at(events[0]), Until: at(events[0]).AddDate(0, 0, 40)}); err != nil || len(list) != 96 {
		t.Errorf("960 hours: %d lines, %v", len(list), err)
	}
}

// What keys have cost in all, today, this week and this month.
func testSpending(t *testing.T, db *Database) {
	s := db.Open(t)
	events := spread(t, s) // Saturday, March 28, to Tuesday, March 31
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	list, err := s.Spending(t.Context(), now)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v; want three keys", list, err)
	}
	one, err := s.SpendingOf(t.Context(), now, list[1].Key)
	if err != nil || one != list[1] {
		t.Errorf("%s: %+v, %v; want %+v", list[1].Key, one, err, list[1])
	}
	none, err := s.SpendingOf(t.Context(), now, "nobody")
	if err != nil || none.Total != "0" || none.Month != "0" || !none.LastUsed.IsZero() {
		t.Errorf("a key that was never used: %+v, %v", none, err)
	}
	var everything int64
	for _, k := range list {
		total, _, _, _, err := k.Pico()
		if err != nil {
			t.Error(err)
		}
		everything += total
	}
	all, err := s.SpendingOf(t.Context(), now, "")
	if total, _, _, _, failed := all.Pico(); err != nil || failed != nil || total != everything {
		t.Errorf("all: %+v, %v, %v; want %d pico-dollars", all, err, failed, everything)
	}
	for _, k := range list {
		var total, day, week, month sum
		var last time.Time
		for _, u := range events {
			if u.KeyID != k.Key {
				continue
			}
			when := time.UnixMicro(u.Time)
			last = when
			total.add(1, 0, u.CostUSD)
			month.add(1, 0, u.CostUSD)
			if !when.Before(time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)) {
				week.add(1, 0, u.CostUSD)
			}
			if !when.Before(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)) {
				day.add(1, 0, u.CostUSD)
			}
		}
		for _, f := range []struct {
			what, got string
			want      *sum
		}{{"total", k.Total, &total}, {"day", k.Day, &day}, {"week", k.Week, &week}, {"month", k.Month, &month}} {
			if got, ok := new(big.Rat).SetString(f.got); !ok || got.Cmp(&f.want.cost) != 0 {
				t.Errorf("%s, %s: %s, want %s", k.Key, f.what, f.got, f.want.cost.FloatString(12))
			}
		}
		if !k.LastUsed.Equal(last) {
			t.Errorf("%s: last used %v, want %v", k.Key, k.LastUsed, last)
		}
	}
}
