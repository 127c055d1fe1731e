package requestlogtest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

// shadowOf returns the shadow of an event, which comes a second later.
func shadowOf(u *wire.Usage, n int, change func(s *wire.Usage)) *wire.Usage {
	s := *u
	s.RequestID = fmt.Sprintf("gen-%d-shadow%05d", time.UnixMicro(u.Time).Unix()+1, n)
	s.Time += 1_000_000
	s.Shadow, s.ShadowOf, s.Endpoint, s.Provider, s.UpstreamID = true, u.RequestID, "model:new", "Local", ""
	change(&s)
	return &s
}

// compared are four requests with their shadows, and a shadow whose request has
// no row: small enough to be added up by hand.
func compared(t *testing.T) (rows []*requestlog.Row) {
	t.Helper()
	add := func(u *wire.Usage) { rows = append(rows, Row(t, u)) }
	mains := [4]*wire.Usage{}
	for i := range mains {
		u := Event(3 * i) // all of model-0
		u.Status, u.End, u.Error, u.UsageSource, u.FinishReason = 200, wire.EndComplete, "", wire.UsageProvider, "stop"
		u.LatencyMS, u.FirstTokenMS = int64(10*(i+1)), int64(i+1) // 10 to 40 ms, 1 to 4 ms
		u.PromptTokens, u.CompletionTokens, u.ReasoningTokens, u.CacheReadTokens, u.CostUSD = 100, int64(10+i), 1, 50, "0.01"
		mains[i] = u
	}
	mains[1].ToolCalls, mains[1].FinishReason = 2, "tool_calls"
	mains[2].JSONOutput, mains[3].JSONOutput = wire.JSONValid, wire.JSONValid
	for _, u := range mains {
		add(u)
	}
	add(shadowOf(mains[0], 0, func(s *wire.Usage) { s.LatencyMS, s.FirstTokenMS, s.CompletionTokens, s.CostUSD = 5, 2, 20, "0.002" }))
	add(shadowOf(mains[1], 1, func(s *wire.Usage) {
		s.LatencyMS, s.FirstTokenMS, s.CompletionTokens, s.CostUSD, s.ToolCalls = 6, 3, 20, "0.002", 1
	}))
	add(shadowOf(mains[2], 2, func(s *wire.Usage) {
		s.LatencyMS, s.FirstTokenMS, s.CompletionTokens, s.CostUSD, s.JSONOutput, s.FinishReason = 30, 4, 20, "0.002", wire.JSONInvalid, "length"
	}))
	add(shadowOf(mains[3], 3, func(s *wire.Usage) {
		s.LatencyMS, s.FirstTokenMS, s.Status, s.End, s.Error, s.FinishReason, s.JSONOutput = 7, -1, 502, wire.EndUpstreamError, "reset", "", ""
		s.PromptTokens, s.CompletionTokens, s.ReasoningTokens, s.CacheReadTokens, s.CostUSD, s.UsageSource = 0, 0, 0, 0, "", wire.UsageNone
	}))
	lost := Event(12)
	add(shadowOf(lost, 4, func(*wire.Usage) {}))
	return rows
}

// Shadows are compared with their requests.
func testShadows(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, compared(t), 9)
	insert(t, s, Rows(t, 100, 120), 20) // without shadows
	want := requestlog.ShadowComparison{
		Endpoint: "model:new", Pairs: 4, Unmatched: 1, SameFinish: 2, SameToolCalls: 3,
		Main: requestlog.ShadowSide{
			PromptTokens: 400, CompletionTokens: 46, ReasoningTokens: 4, CacheReadTokens: 200, CostUSD: "0.04", ToolCalls: 2, JSONAsked: 2, JSONValid: 2,
			P50LatencyMS: 20, P95LatencyMS: 41, P50TTFTMS: 2, P95TTFTMS: 4, // 40 ms share a bucket with 41 ms
			Statuses: map[string]int64{"200": 4}, FinishReasons: map[string]int64{"stop": 3, "tool_calls": 1}, Endpoints: map[string]int64{"model:local-8000": 4},
		},
		Shadow: requestlog.ShadowSide{
			Errors: 1, PromptTokens: 300, CompletionTokens: 60, ReasoningTokens: 3, CacheReadTokens: 150, CostUSD: "0.006", ToolCalls: 1, JSONAsked: 1,
			P50LatencyMS: 6, P95LatencyMS: 30, P50TTFTMS: 3, P95TTFTMS: 4,
			Statuses: map[string]int64{"200": 3, "502": 1}, FinishReasons: map[string]int64{"stop": 1, "tool_calls": 1, "length": 1}, Endpoints: map[string]int64{"model:new": 4},
		},
	}
	q := requestlog.ShadowQuery{Model: "model-0", Since: Start, Until: Start.Add(time.Hour)}
	for _, q := range []requestlog.ShadowQuery{q, {Model: "model-0"}, {Model: "model-0", Endpoint: "model:new"}} {
		got, err := s.Shadows(t.Context(), q)
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%+v: %v\n got %+v\nwant %+v", q, err, got, want)
		}
	}
	for _, q := range []requestlog.ShadowQuery{{Model: "model-1"}, {Model: "model-0", Endpoint: "model:local-8000"}, {Model: "model-0", Since: Start.Add(time.Hour)}} {
		if got, err := s.Shadows(t.Context(), q); err != nil || len(got) != 0 {
			t.Errorf("%+v: %+v, %v", q, got, err)
		}
	}
	shadowLogs(t, s)
}

// shadowLogs finds shadows in the log, by the ids of their requests too.
func shadowLogs(t *testing.T, s requestlog.Store) {
	t.Helper()
	for shadow, want := range map[string]int{"": 29, requestlog.ShadowsOnly: 5, requestlog.ShadowsNone: 24} {
		if list, err := s.Logs(t.Context(), requestlog.LogQuery{Shadow: shadow, Limit: 100}); err != nil || len(list) != want {
			t.Errorf("shadow %q: %d rows, %v; want %d", shadow, len(list), err, want)
		}
	}
	list, err := s.Logs(t.Context(), requestlog.LogQuery{ID: Event(0).RequestID, Limit: 10})
	if err != nil || len(list) != 2 {
		t.Errorf("%d rows by a request's id, %v; want it and its shadow", len(list), err)
	}
}

// testShadowsCountNowhere holds every report to what it is without shadows.
func testShadowsCountNowhere(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, numbered(t, 0, 100), 100)
	before := allFigures(t, s, db)
	var shadows []*requestlog.Row
	for n := range 50 {
		u := Event(n)
		u.Prompt, u.Answer = "p", "a"
		r, err := requestlog.NewRow(shadowOf(u, n, func(s *wire.Usage) { s.CostUSD = "5" }), requestlog.Origin{SpoolEpoch: "s", Seq: uint64(n/2 + 1)})
		if err != nil {
			t.Fatal(err)
		}
		shadows = append(shadows, r)
	}
	insert(t, s, shadows, 50)
	insert(t, s, shadows, 0)
	compare := func(what string) {
		t.Helper()
		for name, after := range allFigures(t, s, db) {
			if !reflect.DeepEqual(before[name], after) {
				t.Errorf("%s: %s\n got %+v\nwant %+v", what, name, after, before[name])
			}
		}
	}
	compare("inserted")
	// they have a cost of their own, which other prices change
	prices := map[string][]requestlog.Prices{"model:new": {{List: priceList(t, wire.Pricing{Prompt: "1", Completion: "1"})}}}
	for q := (requestlog.RepriceQuery{Since: Start, Until: Start.Add(time.Hour), Prices: prices, Now: Start}); ; {
		done, err := s.Reprice(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if q.After = done.Next; done.Next == "" {
			break
		}
	}
	if n := db.Int(t, "SELECT count(*) FROM api_logs WHERE shadow IS TRUE AND repriced_at IS NOT NULL"); n == 0 {
		t.Error("no shadow was repriced")
	}
	compare("repriced")
	for _, e := range []requestlog.Erasure{{User: "user-1", Before: Start.Add(time.Hour), Pseudonymise: true}, {User: "user-2", Before: Start.Add(time.Hour)}} {
		eraseAll(t, s, e)
	}
	if n := db.Int(t, "SELECT count(*) FROM api_logs WHERE user_id IN ('user-1', 'user-2')"); n != 0 {
		t.Errorf("%d rows were not erased", n)
	}
	if n := db.Int(t, "SELECT CAST(sum(request_count) AS INTEGER) FROM api_usage"); n != 80 {
		t.Errorf("roll-ups of %d requests, want 80", n)
	}
	if gaps, err := s.Gaps(t.Context(), time.Time{}, time.Time{}); err != nil || len(gaps) != 0 {
		t.Errorf("gaps %+v, %v", gaps, err)
	}
}

// allFigures are all reports but those for comparing with what providers bill.
func allFigures(t *testing.T, s requestlog.Store, db *Database) map[string]any {
	t.Helper()
	out := map[string]any{}
	keep := func(name string, v any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = v
	}
	ctx, until := t.Context(), Start.Add(time.Hour)
	for name, q := range map[string]requestlog.StatsQuery{"roll-ups": {}, "rows": {MinMS: 1}} {
		rows, err := s.Stats(ctx, q)
		keep("stats of "+name, rows, err)
		groups, err := s.StatsOf(ctx, q, "endpoint")
		keep("stats by endpoint of "+name, groups, err)
	}
	for _, step := range []requestlog.Step{requestlog.ByMinute, requestlog.ByHour} {
		series, err := s.Series(ctx, requestlog.SeriesQuery{StatsQuery: requestlog.StatsQuery{Since: Start, Until: until}, Step: step, By: "endpoint"})
		keep("series by "+string(step), series, err)
	}
	for _, by := range requestlog.UsageBy() {
		rows, err := s.Report(ctx, requestlog.ReportQuery{By: []string{by}, Since: Start.Add(time.Second), Until: until}) // with rows at the edge
		keep("report by "+by, rows, err)
	}
	keys, err := s.Spending(ctx, until)
	keep("spending", keys, err)
	all, err := s.SpendingOf(ctx, until, "")
	keep("spending of all", all, err)
	for _, table := range []string{"api_usage", "api_stats_hourly", "api_latency"} {
		keep(table, slices.Concat(db.Query(t, "SELECT count(*), CAST(sum(request_count) AS BIGINT) FROM "+table)...), nil)
	}
	for _, empty := range slices.Sorted(maps.Keys(out)) {
		if v := reflect.ValueOf(out[empty]); v.Kind() == reflect.Slice && v.Len() == 0 {
			t.Errorf("%s is empty", empty)
		}
	}
	return out
}
