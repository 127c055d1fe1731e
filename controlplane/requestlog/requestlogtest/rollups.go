package requestlogtest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

func stats(t *testing.T, s requestlog.Store, q requestlog.StatsQuery) []requestlog.StatsRow {
	t.Helper()
	list, err := s.Stats(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// checkRollups compares what Stats adds up with the rows themselves.
func checkRollups(t *testing.T, s requestlog.Store, db *Database, requests int) {
	t.Helper()
	SameByHour(t, db)
	var sum requestlog.StatsRow
	for _, r := range stats(t, s, requestlog.StatsQuery{}) {
		sum.RequestCount += r.RequestCount
		sum.SuccessCount += r.SuccessCount
		sum.ErrorCount += r.ErrorCount
		sum.TotalPromptTokens += r.TotalPromptTokens
		sum.TotalCompletionTokens += r.TotalCompletionTokens
		sum.TotalTokens += r.TotalTokens
	}
	table := db.Query(t, `SELECT count(*), coalesce(sum(CASE WHEN status_code < 400 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN status_code >= 400 THEN 1 ELSE 0 END), 0),
		coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0), coalesce(sum(total_tokens), 0) FROM api_logs`)
	got := fmt.Sprint([]int64{sum.RequestCount, sum.SuccessCount, sum.ErrorCount, sum.TotalPromptTokens, sum.TotalCompletionTokens, sum.TotalTokens})
	if want := fmt.Sprint(table[0]); got != want {
		t.Errorf("roll-ups %s, api_logs %s", got, want)
	}
	if sum.RequestCount != int64(requests) {
		t.Errorf("roll-ups count %d requests, want %d", sum.RequestCount, requests)
	}
	if n := db.Int(t, "SELECT coalesce(sum(request_count), 0) FROM api_latency WHERE kind = 'latency'"); n != requests {
		t.Errorf("histograms count %d requests, want %d", n, requests)
	}
}

// Roll-ups by hour, model and provider equal GROUP BY over the log, across the
// end of a day.
func testStats(t *testing.T, db *Database) {
	s := db.Open(t)
	const events = 3000
	var rows []*requestlog.Row
	byGroup := map[string][]int64{}
	for n := range events {
		u := Event(n)
		rows = append(rows, Row(t, u))
		hour := time.UnixMicro(u.Time).UTC().Truncate(time.Hour).Format(time.RFC3339)
		key := hour + " " + u.Model + " " + u.Provider
		byGroup[key] = append(byGroup[key], u.LatencyMS)
	}
	for batch := range slices.Chunk(rows, 700) {
		insert(t, s, batch, len(batch))
	}
	list := stats(t, s, requestlog.StatsQuery{Since: Start})
	if len(list) != len(byGroup) || len(list) != 12 {
		t.Fatalf("%d rows, want 12: two hours, three models, two providers", len(list))
	}
	for i, r := range list {
		if i > 0 && r.Hour.After(list[i-1].Hour) {
			t.Errorf("row %d: %v after %v, want newest first", i, r.Hour, list[i-1].Hour)
		}
		checkGroup(t, db, r, byGroup[r.Hour.Format(time.RFC3339)+" "+r.ModelID+" "+r.Provider])
	}
}

func checkGroup(t *testing.T, db *Database, r requestlog.StatsRow, latencies []int64) {
	t.Helper()
	want := db.Query(t, fmt.Sprintf(`SELECT count(*), sum(total_tokens), sum(latency_ms) FROM api_logs WHERE model_id = '%s' AND provider = '%s'
		AND timestamp >= '%s' AND timestamp < '%s'`, r.ModelID, r.Provider, r.Hour.Format(time.RFC3339), r.Hour.Add(time.Hour).Format(time.RFC3339)))[0]
	latencySum := strconv.FormatFloat(math.Round(r.AvgLatencyMS*float64(r.RequestCount)), 'f', -1, 64)
	if got := []string{strconv.FormatInt(r.RequestCount, 10), strconv.FormatInt(r.TotalTokens, 10), latencySum}; !slices.Equal(got, want) {
		t.Errorf("%v %s %s: %v, api_logs has %v", r.Hour, r.ModelID, r.Provider, got, want)
	}
	slices.Sort(latencies)
	for q, got := range map[float64]int64{0.5: r.P50LatencyMS, 0.95: r.P95LatencyMS, 0.99: r.P99LatencyMS} {
		exact := latencies[int(math.Ceil(q*float64(len(latencies))))-1]
		if d := float64(got - exact); d < 0 || d > 0.065*float64(exact) {
			t.Errorf("%v %s %s: p%v is %d ms, exactly %d", r.Hour, r.ModelID, r.Provider, 100*q, got, exact)
		}
	}
}

func testStatsFilter(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, Rows(t, 0, 3000), 3000)
	f := func(q requestlog.StatsQuery, rows int, requests int64) {
		t.Helper()
		list := stats(t, s, q)
		var sum int64
		for _, r := range list {
			sum += r.RequestCount
		}
		if len(list) != rows || sum != requests {
			t.Errorf("%+v: %d rows with %d requests, want %d with %d", q, len(list), sum, rows, requests)
		}
	}
	f(requestlog.StatsQuery{Model: "model-1"}, 4, 1000)
	f(requestlog.StatsQuery{Provider: "vLLM"}, 6, 1500)
	f(requestlog.StatsQuery{Model: "model-1", Provider: "vLLM"}, 2, 500)
	f(requestlog.StatsQuery{Model: "model"}, 0, 0)
	f(requestlog.StatsQuery{Model: "' OR '1'='1"}, 0, 0)
	// the hour of Since counts whole, the one before not at all
	f(requestlog.StatsQuery{Since: Start.Add(time.Minute)}, 12, 3000)
	f(requestlog.StatsQuery{Since: Start.Add(3 * time.Minute)}, 6, 1800)
	f(requestlog.StatsQuery{Since: Start.Add(time.Hour + 3*time.Minute).In(time.FixedZone("", 5*3600+1800))}, 0, 0)
	testStatsOfSlow(t, s)
}

// Figures of slow requests are those of the rows; with the least bound they are
// the roll-ups'.
func testStatsOfSlow(t *testing.T, s requestlog.Store) {
	t.Helper()
	for _, by := range requestlog.StatsBy() {
		all, err := s.StatsOf(t.Context(), requestlog.StatsQuery{Since: Start}, by)
		fromRows, err2 := s.StatsOf(t.Context(), requestlog.StatsQuery{Since: Start, MinMS: 1}, by)
		if err != nil || err2 != nil || !slices.Equal(all, fromRows) {
			t.Errorf("by %s:\n%+v, %v of roll-ups\n%+v, %v of rows", by, all, err, fromRows, err2)
		}
	}
	slow := map[string]int64{}
	for n := range 3000 {
		if u := Event(n); u.LatencyMS >= 1500 {
			slow[u.Provider]++
		}
	}
	got, err := s.StatsOf(t.Context(), requestlog.StatsQuery{MinMS: 1500, Until: Start.Add(time.Hour)}, "provider")
	if err != nil || len(got) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, g := range got {
		if g.RequestCount != slow[g.Group] || g.RequestCount == 0 || g.P50LatencyMS < 1500 || g.AvgLatencyMS < 1500 {
			t.Errorf("%+v, want %d requests", g, slow[g.Group])
		}
	}
	if list := stats(t, s, requestlog.StatsQuery{MinMS: 1500, Model: "model-1"}); len(list) != 4 || list[0].P50TTFTMS == 0 {
		t.Errorf("by the hour: %+v", list)
	}
}

func testStatsLimit(t *testing.T, db *Database) {
	s := db.Open(t)
	var rows []*requestlog.Row
	for n := range requestlog.MaxStatsRows + 200 {
		u := Event(1100 + n) // 100 of them before the end of the hour
		u.Model = fmt.Sprintf("model-%04d", n)
		rows = append(rows, Row(t, u))
	}
	insert(t, s, rows, len(rows))
	list := stats(t, s, requestlog.StatsQuery{})
	newer := Start.Add(2 * time.Minute)
	for _, r := range list {
		if !r.Hour.Equal(newer) {
			t.Errorf("%v is listed though %d rows of %v are newer", r.Hour, requestlog.MaxStatsRows+100, newer)
		}
	}
	if len(list) != requestlog.MaxStatsRows {
		t.Errorf("%d rows, want %d", len(list), requestlog.MaxStatsRows)
	}
}

// Sums of money are exact where floats are not.
func testMoney(t *testing.T, db *Database) {
	s := db.Open(t)
	costs := []string{"0.1", "0.2", "0.000000000001", "1234567.000000000001", "1e-3", "0.00000000000049", ""}
	var rows []*requestlog.Row
	for n, cost := range costs {
		u := Event(n)
		u.Model, u.Provider, u.CostUSD = "m", "p", cost
		rows = append(rows, Row(t, u))
	}
	insert(t, s, rows, len(rows))
	list := stats(t, s, requestlog.StatsQuery{})
	if len(list) != 1 || list[0].TotalCostUSD != "1234567.301000000002" {
		t.Errorf("%+v, want a total of 1234567.301000000002", list)
	}
	if n := db.Int(t, "SELECT count(*) FROM api_logs WHERE cost_usd > 1234566"); n != 1 {
		t.Errorf("%d rows cost more than 1234566, want 1", n)
	}
}

// A request counts once in its hour whatever its status.
func testEveryRowCounts(t *testing.T, db *Database) {
	s := db.Open(t)
	for n, status := range []int{200, 299, 399, 400, 429, 500, 0} {
		u := Event(n)
		u.Model, u.Provider, u.Status, u.UsageSource = "m", "p", status, wire.UsageNone
		insert(t, s, []*requestlog.Row{Row(t, u)}, 1)
	}
	r := stats(t, s, requestlog.StatsQuery{})[0]
	if r.RequestCount != 7 || r.SuccessCount != 4 || r.ErrorCount != 3 {
		t.Errorf("requests %d, success %d, errors %d; want 7, 4, 3", r.RequestCount, r.SuccessCount, r.ErrorCount)
	}
}

// Names that clients invent share one line, and variants their model's.
func testInventedModels(t *testing.T, db *Database) {
	s := db.Open(t)
	var rows []*requestlog.Row
	for n := range 1100 {
		u := Event(n)
		u.RequestedModel, u.Model, u.Endpoint, u.Provider, u.Status = fmt.Sprintf("made-up-%d", n), "", "", "", 400
		if n%100 == 0 {
			u.RequestedModel, u.Model, u.Status = "real:nitro", "real", 200
		}
		rows = append(rows, Row(t, u))
	}
	insert(t, s, rows, len(rows))
	list := stats(t, s, requestlog.StatsQuery{})
	if len(list) != 2 || list[0].ModelID != requestlog.UnknownModel || list[0].RequestCount != 1089 || list[1].ModelID != "real" || list[1].RequestCount != 11 {
		t.Errorf("%+v, want (unknown) and real", list)
	}
	usage, err := s.Report(t.Context(), requestlog.ReportQuery{By: []string{"model"}})
	if err != nil || len(usage) != 2 || usage[0].Model != requestlog.UnknownModel || usage[1].Model != "real" {
		t.Errorf("usage %+v, %v", usage, err)
	}
	for _, table := range []string{"api_stats_hourly", "api_usage"} {
		if n := db.Int(t, "SELECT count(*) FROM "+table); n > 50 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
}

// The figures of a whole period by one column, with the time to the first token.
func testStatsOf(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, Rows(t, 0, 3000), 3000)
	byNode, err := s.StatsOf(t.Context(), requestlog.StatsQuery{Since: Start}, "node")
	if err != nil || len(byNode) != 2 || byNode[0].Group != "node-0" || byNode[0].RequestCount != 1500 || byNode[1].RequestCount != 1500 || byNode[1].ErrorCount != 300 {
		t.Fatalf("by node: %+v, %v", byNode, err)
	}
	var ttft []int64
	for n := range 3000 {
		if u := Event(n); u.Node == "node-1" {
			ttft = append(ttft, u.FirstTokenMS)
		}
	}
	slices.Sort(ttft)
	for q, got := range map[float64]int64{0.5: byNode[1].P50TTFTMS, 0.95: byNode[1].P95TTFTMS, 0.99: byNode[1].P99TTFTMS} {
		exact := ttft[int(math.Ceil(q*float64(len(ttft))))-1]
		if d := float64(got - exact); d < 0 || d > 0.065*float64(exact) {
			t.Errorf("time to first token, p%v: %d ms, exactly %d", 100*q, got, exact)
		}
	}
	one, err := s.StatsOf(t.Context(), requestlog.StatsQuery{Node: "node-0", Until: Start.Add(time.Minute)}, "endpoint")
	if err != nil || len(one) != 1 || one[0].Group != "model:local-8000" || one[0].RequestCount != 600 {
		t.Errorf("by endpoint: %+v, %v", one, err)
	}
	if _, err := s.StatsOf(t.Context(), requestlog.StatsQuery{}, "colour"); !errors.Is(err, requestlog.ErrRejected) {
		t.Errorf("by colour: %v", err)
	}
}
