package requestlogtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

func testLogs(t *testing.T, db *Database) {
	s := db.Open(t)
	const count = 250
	var rows []*requestlog.Row
	for n := range count {
		if n == 120 || n == 121 || n == 77 {
			continue // lost on their way: node-0 has even numbers
		}
		u := Event(n)
		u.HTTPRequestID, u.TraceID = fmt.Sprintf("x-%d", n), fmt.Sprintf("%032x", 0xabc000+n)
		r, err := requestlog.NewRow(u, requestlog.Origin{SpoolEpoch: "e", Seq: uint64(n/2 + 1)})
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	insert(t, s, rows, count-3)
	read := func(q requestlog.LogQuery) []requestlog.LogRow {
		t.Helper()
		list, err := s.Logs(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	checkPages(t, read, count-3)
	f := func(q requestlog.LogQuery, want int) {
		t.Helper()
		q.Limit = 1000
		if got := len(read(q)); got != want {
			t.Errorf("%+v: %d rows, want %d", q, got, want)
		}
	}
	f(requestlog.LogQuery{Errors: true}, 25)
	f(requestlog.LogQuery{Filters: requestlog.Names{Model: "model-1", Provider: "vLLM"}}, 41)
	f(requestlog.LogQuery{Filters: requestlog.Names{User: "nobody'; DROP TABLE api_logs"}}, 0)
	f(requestlog.LogQuery{ID: Event(9).RequestID}, 1)
	f(requestlog.LogQuery{Since: Start.Add(10 * time.Second), Until: Start.Add(20 * time.Second)}, 98)
	if _, err := s.Logs(t.Context(), requestlog.LogQuery{Before: "1"}); !errors.Is(err, requestlog.ErrRejected) {
		t.Errorf("a bad id: %v", err)
	}
	f(requestlog.LogQuery{MinMS: 3000}, 9)
	f(requestlog.LogQuery{Text: "CLOSED the"}, 25)
	f(requestlog.LogQuery{Text: "'%_"}, 0)
	f(requestlog.LogQuery{ID: Event(9).RequestID}, 1)
	f(requestlog.LogQuery{ID: Event(9).UpstreamID}, 1)
	f(requestlog.LogQuery{ID: "x-9"}, 1)
	f(requestlog.LogQuery{ID: "x"}, 0)
	f(requestlog.LogQuery{ID: "00000000000000000000000000abc009"}, 1)
	f(requestlog.LogQuery{ID: "00000000000000000000000000ABC009"}, 1)
	f(requestlog.LogQuery{ID: "msg_" + strings.TrimPrefix(Event(9).RequestID, "gen-") + "_0"}, 1)
	f(requestlog.LogQuery{ID: "fc_" + strings.TrimPrefix(Event(9).RequestID, "gen-") + "_12"}, 1)
	f(requestlog.LogQuery{ID: "msg_" + strings.TrimPrefix(Event(9).RequestID, "gen-")}, 0)
	checkLogRow(t, read(requestlog.LogQuery{ID: Event(9).RequestID, Limit: 1})[0])

	checkSums(t, s, count-3)
}

// checkSums compares gaps, hours and usage with the rows of testLogs.
func checkSums(t *testing.T, s requestlog.Store, count int64) {
	t.Helper()
	gaps, err := s.Gaps(t.Context(), time.Time{}, time.Time{})
	want := []requestlog.Gap{{Node: "node-0", Epoch: "e", First: 61, Last: 61}, {Node: "node-1", Epoch: "e", First: 39, Last: 39}, {Node: "node-1", Epoch: "e", First: 61, Last: 61}}
	if err != nil || !slices.Equal(gaps, want) {
		t.Errorf("gaps %+v, %v; want %+v", gaps, err, want)
	}
	hours, err := s.Hours(t.Context(), Start.Add(-time.Hour), time.Time{})
	if err != nil || len(hours) != 1 || hours[0].Hour != "2026-05-26T23:00:00Z" || hours[0].Rows != count {
		t.Errorf("hours %+v, %v", hours, err)
	}
	checkUsage(t, s, count, hours[0].CostUSD)
	checkCopy(t, s, hours)
}

// Rows come by time and then by id, although ids of one second are random.
func testOrder(t *testing.T, db *Database) {
	s := db.Open(t)
	var rows []*requestlog.Row
	var want []string
	for n := range 40 {
		u := Event(n / 2) // two at a time
		u.RequestID = fmt.Sprintf("gen-%d-%c%d", time.UnixMicro(u.Time).Unix(), 'z'-n/2, n%2)
		want = append(want, u.RequestID)
		rows = append(rows, Row(t, u))
	}
	slices.Reverse(rows)
	insert(t, s, rows, len(rows))
	f := func(q requestlog.LogQuery, want []string) {
		t.Helper()
		q.Limit = 1000
		list, err := s.Logs(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list {
			got = append(got, r.RequestID())
		}
		if q.After == "" {
			slices.Reverse(got)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", q, got, want)
		}
	}
	f(requestlog.LogQuery{}, want)
	for n, id := range want {
		f(requestlog.LogQuery{Before: id}, want[:n])
		f(requestlog.LogQuery{After: id}, want[n+1:])
	}
	// ids without a row are before or after all of their second
	f(requestlog.LogQuery{Before: fmt.Sprintf("gen-%d-m", Start.Unix())}, want[:20])
	f(requestlog.LogQuery{After: fmt.Sprintf("gen-%d-m", Start.Unix())}, want)
}

// checkCopy makes a copy, which is the same, whatever it goes into.
func checkCopy(t *testing.T, s requestlog.Store, hours []requestlog.Hour) {
	t.Helper()
	rows, err := s.Logs(t.Context(), requestlog.LogQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	other := SQLite(t)
	to := other.Open(t)
	var copies []*requestlog.Row
	for _, r := range rows {
		c, err := r.Row()
		if err != nil {
			t.Fatal(err)
		}
		copies = append(copies, c)
	}
	insert(t, to, copies, len(rows))
	again, err := to.Logs(t.Context(), requestlog.LogQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		if !slices.Equal(r.Texts(), again[i].Texts()) {
			t.Fatalf("row %d: %q, its copy %q", i, r.Texts(), again[i].Texts())
		}
	}
	if copied, err := to.Hours(t.Context(), time.Time{}, time.Time{}); err != nil || !slices.Equal(copied, hours) {
		t.Errorf("hours of the copy %+v, %v", copied, err)
	}
}

// checkPages reads all rows, page by page, both ways.
func checkPages(t *testing.T, read func(requestlog.LogQuery) []requestlog.LogRow, count int) {
	t.Helper()
	ids := func(list []requestlog.LogRow) (out []string) {
		for _, r := range list {
			out = append(out, r.RequestID())
		}
		return out
	}
	for _, ascending := range []bool{false, true} {
		q := requestlog.LogQuery{Limit: 60}
		if ascending {
			q.After = "gen-1577836800-0"
		}
		var all []string
		for {
			page := ids(read(q))
			all = append(all, page...)
			if len(page) < q.Limit {
				break
			}
			if last := page[len(page)-1]; ascending {
				q.After = last
			} else {
				q.Before = last
			}
		}
		sorted := slices.IsSorted(all)
		if !ascending {
			slices.Reverse(all)
			sorted = slices.IsSorted(all)
		}
		if len(all) != count || !sorted || len(slices.Compact(all)) != count {
			t.Errorf("ascending %v: %d rows, sorted %v", ascending, len(all), sorted)
		}
	}
}

func checkLogRow(t *testing.T, r requestlog.LogRow) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for column, want := range map[string]any{
		"request_id": Event(9).RequestID, "timestamp": "2026-05-26T23:58:00Z", "received_at": "2026-05-26T23:58:00.900000Z", "stream": false,
		"status_code": 502.0, "prompt_tokens": nil, "cost_usd": nil, "upstream_cost_usd": "0.0001", "temperature": 0.7, "max_tokens": 64.0, "node": "node-1",
	} {
		if got[column] != want {
			t.Errorf("%s is %v, want %v", column, got[column], want)
		}
	}
	if list, ok := got["attempts"].([]any); !ok || len(list) != 1 {
		t.Errorf("attempts %v", got["attempts"])
	}
	if len(got) != len(requestlog.LogColumns()) || len(r.Texts()) != len(got) {
		t.Errorf("%d columns, want %d", len(got), len(requestlog.LogColumns()))
	}
}

func checkUsage(t *testing.T, s requestlog.Store, count int64, cost string) {
	t.Helper()
	for by, groups := range map[string]int{"model": 3, "provider": 2, "endpoint": 1, "node": 2, "key": 1, "user": 5, "team": 2} {
		rows, err := s.Report(t.Context(), requestlog.ReportQuery{Since: Start.Add(-time.Hour), By: []string{by}})
		if err != nil {
			t.Errorf("by %s: %v", by, err)
			continue
		}
		var requests int64
		for _, r := range rows {
			requests += r.RequestCount
		}
		if len(rows) != groups || requests != count {
			t.Errorf("by %s: %d groups of %d requests, want %d and %d", by, len(rows), requests, groups, count)
		}
		for _, r := range rows {
			checkUsageRow(t, s, by, r)
		}
		if by == "key" && rows[0].CostUSD != cost {
			t.Errorf("by key: %+v, want the cost %s", rows[0], cost)
		}
	}
	if _, err := s.Report(t.Context(), requestlog.ReportQuery{By: []string{"colour"}}); !errors.Is(err, requestlog.ErrRejected) {
		t.Error(fmt.Errorf("by colour: %w", err))
	}
}

// checkUsageRow adds up the log.
func checkUsageRow(t *testing.T, s requestlog.Store, by string, r requestlog.ReportRow) {
	t.Helper()
	list, err := s.Logs(t.Context(), requestlog.LogQuery{Limit: 1000, Filters: r.Names}) // which have the one name that it is by
	if err != nil {
		t.Fatal(err)
	}
	var errors, tokens int64
	columns := requestlog.LogColumns()
	for _, line := range list {
		texts := line.Texts()
		if texts[slices.Index(columns, "status_code")] >= "400" {
			errors++
		}
		n, _ := strconv.ParseInt(texts[slices.Index(columns, "total_tokens")], 10, 64) // "" is unknown
		tokens += n
	}
	if r.RequestCount != int64(len(list)) || r.ErrorCount != errors || r.TotalTokens != tokens || r.PromptTokens+r.CompletionTokens != tokens {
		t.Errorf("by %s: %+v, the log has %d requests, %d errors, %d tokens", by, r, len(list), errors, tokens)
	}
}

func testExpire(t *testing.T, db *Database) {
	s := db.Open(t)
	// two minutes before midnight: 1,200 events of one day, the others of the next
	insert(t, s, Rows(t, 1100, 1300), 200)
	for _, f := range []struct {
		before time.Time
		left   int
	}{{Start, 200}, {Start.Add(time.Hour), 100}, {Start.Add(time.Hour), 100}, {Start.Add(48 * time.Hour), 0}} {
		if _, err := s.Expire(t.Context(), requestlog.Cutoffs{Rows: f.before}); err != nil {
			t.Fatal(err)
		}
		if n := db.Int(t, "SELECT count(*) FROM api_logs"); n != f.left {
			t.Errorf("before %s: %d rows are left, want %d", f.before, n, f.left)
		}
	}
	if n := db.Int(t, "SELECT CAST(sum(request_count) AS INTEGER) FROM api_stats_hourly"); n != 200 {
		t.Errorf("the roll-ups have %d", n)
	}
	insert(t, s, Rows(t, 1100, 1300), 200) // late ones are taken all the same
}

// Contents and roll-ups have times of their own.
func testExpireApart(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, numbered(t, 1100, 1300), 200) // half of them after midnight
	counts := func() (list []int) {
		for _, query := range []string{
			"SELECT count(*) FROM api_logs", "SELECT count(*) FROM api_contents", "SELECT CAST(coalesce(sum(request_count), 0) AS INTEGER) FROM api_usage",
			"SELECT CAST(coalesce(sum(request_count), 0) AS INTEGER) FROM api_stats_hourly", "SELECT CAST(coalesce(sum(request_count), 0) AS INTEGER) FROM api_latency WHERE kind = 'latency'",
		} {
			list = append(list, db.Int(t, query))
		}
		return list
	}
	for _, f := range []struct {
		before requestlog.Cutoffs
		left   []int
	}{
		{requestlog.Cutoffs{}, []int{200, 200, 200, 200, 200}},
		{requestlog.Cutoffs{Contents: Start.Add(time.Hour)}, []int{200, 100, 200, 200, 200}},
		{requestlog.Cutoffs{Rollups: Start.Add(time.Hour)}, []int{200, 100, 100, 100, 100}},
		{requestlog.Cutoffs{Rows: Start.Add(48 * time.Hour), Contents: Start}, []int{0, 0, 100, 100, 100}},
		{requestlog.Cutoffs{Rollups: Start.Add(48 * time.Hour)}, []int{0, 0, 0, 0, 0}},
		{requestlog.Cutoffs{Rollups: Start.Add(48 * time.Hour)}, []int{0, 0, 0, 0, 0}},
	} {
		if _, err := s.Expire(t.Context(), f.before); err != nil {
			t.Fatal(err)
		}
		if got := counts(); !slices.Equal(got, f.left) {
			t.Errorf("%+v: rows, contents and roll-ups %v, want %v", f.before, got, f.left)
		}
		SameByHour(t, db)
	}
}

func testContent(t *testing.T, db *Database) {
	s := db.Open(t)
	with, without := Event(0), Event(1)
	with.Prompt, with.Answer = `[{"role":"user","content":"naïve \"quoted\" \\u0000"}]`, "an answer\nof two lines"
	for range 2 { // the second time nothing is new
		if _, err := s.Insert(t.Context(), []*requestlog.Row{Row(t, with), Row(t, without)}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := s.Content(t.Context(), with.RequestID)
	if err != nil || c == nil || c.Prompt != with.Prompt || c.Answer != with.Answer {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := s.Content(t.Context(), without.RequestID); err != nil || c != nil {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := s.Expire(t.Context(), requestlog.Cutoffs{Rows: Start.Add(48 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if n := db.Int(t, "SELECT count(*) FROM api_contents"); n != 0 {
		t.Errorf("%d contents outlive their requests", n)
	}
}
