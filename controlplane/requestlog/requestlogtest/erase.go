package requestlogtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// numbered returns rows with places in their nodes' spools.
func numbered(t testing.TB, first, end int) (rows []*requestlog.Row) {
	t.Helper()
	for n := first; n < end; n++ {
		u := Event(n)
		u.SessionID, u.HTTPRequestID, u.TraceID, u.Prompt = "s", fmt.Sprintf("x-%d", n), fmt.Sprintf("%032x", n), "a prompt"
		r, err := requestlog.NewRow(u, requestlog.Origin{SpoolEpoch: "e", Seq: uint64(n/2 + 1)})
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

// sameAsRows holds the roll-ups to what is in the log.
func sameAsRows(t *testing.T, db *Database) {
	t.Helper()
	SameByHour(t, db)
	const figures = "count(*), CAST(coalesce(sum(total_tokens), 0) AS BIGINT), CAST(coalesce(sum(latency_ms), 0) AS BIGINT), CAST(coalesce(sum(cost_usd), 0) * 1000000000 AS BIGINT)"
	const rolledUp = "CAST(coalesce(sum(request_count), 0) AS BIGINT), CAST(coalesce(sum(%s), 0) AS BIGINT), CAST(coalesce(sum(latency_sum_ms), 0) AS BIGINT), "
	want := db.Query(t, "SELECT "+figures+" FROM api_logs")[0]
	cost := "CAST(coalesce(sum(%s), 0) * 1000000000 AS BIGINT)"
	if db.Config.Backend != "postgres" {
		cost = "CAST(round(coalesce(sum(%s), 0) / 1000.0) AS BIGINT)"
		want = db.Query(t, "SELECT "+strings.Replace(figures, "CAST(coalesce(sum(cost_usd), 0) * 1000000000 AS BIGINT)", "CAST(round(coalesce(sum(cost_pico), 0) / 1000.0) AS BIGINT)", 1)+" FROM api_logs")[0]
	}
	column := map[bool]string{true: "cost_usd", false: "cost_pico"}[db.Config.Backend == "postgres"]
	for table, query := range map[string]string{
		"api_usage":        fmt.Sprintf(rolledUp, "total_tokens") + fmt.Sprintf(cost, column),
		"api_stats_hourly": fmt.Sprintf(rolledUp, "total_tokens") + fmt.Sprintf(cost, "total_"+column),
	} {
		if got := db.Query(t, "SELECT "+query+" FROM "+table)[0]; !slices.Equal(got, want) {
			t.Errorf("%s has %v, the log %v", table, got, want)
		}
	}
	if got := db.Query(t, "SELECT CAST(coalesce(sum(request_count), 0) AS BIGINT) FROM api_latency WHERE kind = 'latency'")[0]; got[0] != want[0] {
		t.Errorf("api_latency has %s requests, the log %s", got[0], want[0])
	}
	for _, table := range []string{"api_usage", "api_stats_hourly", "api_latency"} {
		if n := db.Int(t, "SELECT count(*) FROM "+table+" WHERE request_count <= 0"); n > 0 {
			t.Errorf("%s has %d lines of nothing", table, n)
		}
	}
}

// eraseAll goes on until everything is done.
func eraseAll(t *testing.T, s requestlog.Store, e requestlog.Erasure) requestlog.Erased {
	t.Helper()
	done, err := s.Erase(t.Context(), e, time.Time{})
	if err != nil || !done.Next.IsZero() {
		t.Fatalf("%+v, %v", done, err)
	}
	return done
}

// Removed rows leave nothing behind, in the roll-ups neither, and no gap.
func testErase(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, numbered(t, 0, 3000), 3000)
	e := requestlog.Erasure{User: "user-1", Before: Start.Add(4 * time.Minute)} // cut to two minutes: midnight
	would, err := s.CountErasure(t.Context(), e)
	if err != nil || would.Rows != 240 || would.Contents != 240 {
		t.Errorf("a dry run: %+v, %v", would, err)
	}
	if n := db.Int(t, "SELECT count(*) FROM api_logs WHERE user_id = 'user-1'"); n != 600 {
		t.Errorf("the dry run left %d rows", n)
	}
	if done := eraseAll(t, s, e); done.Rows != 240 || done.Contents != 240 {
		t.Errorf("%+v", done)
	}
	sameAsRows(t, db)
	if done := eraseAll(t, s, e); done.Rows != 0 {
		t.Errorf("a second time: %+v", done)
	}
	if n := db.Int(t, "SELECT count(*) FROM api_logs WHERE user_id = 'user-1'"); n != 360 {
		t.Errorf("%d rows of later, want 360", n)
	}
	if done := eraseAll(t, s, requestlog.Erasure{User: "user-1", Before: Start.Add(time.Hour)}); done.Rows != 360 {
		t.Errorf("%+v", done)
	}
	sameAsRows(t, db)
	for _, table := range []string{"api_logs", "api_usage"} {
		if n := db.Int(t, "SELECT count(*) FROM "+table+" WHERE user_id = 'user-1'"); n != 0 {
			t.Errorf("%s still has %d", table, n)
		}
	}
	if n := db.Int(t, "SELECT count(*) FROM api_contents"); n != 2400 {
		t.Errorf("%d contents, want 2400", n)
	}
	for _, since := range []time.Time{{}, Start.Add(-time.Hour)} {
		if gaps, err := s.Gaps(t.Context(), since, time.Time{}); err != nil || len(gaps) != 0 {
			t.Errorf("gaps %+v, %v", gaps, err)
		}
	}
	// an event that comes later, and one that never comes
	late := numbered(t, 3001, 3002)[0]
	insert(t, s, append(numbered(t, 3010, 3020), late), 11)
	if rows, err := s.EraseLate(t.Context()); err != nil || rows != 3 {
		t.Errorf("%d late rows, %v; want 3", rows, err)
	}
	sameAsRows(t, db)
	gaps, err := s.Gaps(t.Context(), time.Time{}, time.Time{})
	if err != nil || len(gaps) != 2 || gaps[0] != (requestlog.Gap{Node: "node-0", Epoch: "e", First: 1501, Last: 1505}) || gaps[1].First != 1502 {
		t.Errorf("gaps %+v, %v", gaps, err)
	}
	for _, bad := range []requestlog.Erasure{{}, {User: "a"}, {User: "a", Key: "b", Before: Start}} {
		if _, err := s.Erase(t.Context(), bad, time.Time{}); !errors.Is(err, requestlog.ErrRejected) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// Pseudonymised rows count as before and lead to no one.
func testPseudonymise(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, numbered(t, 0, 3000), 3000)
	before := db.Query(t, "SELECT sum(request_count), sum(total_tokens) FROM api_usage")[0]
	e := requestlog.Erasure{User: "user-1", Before: Start.Add(time.Hour), Pseudonymise: true}
	if done := eraseAll(t, s, e); done.Rows != 600 || done.Contents != 600 {
		t.Errorf("%+v", done)
	}
	sameAsRows(t, db)
	if after := db.Query(t, "SELECT sum(request_count), sum(total_tokens) FROM api_usage")[0]; !slices.Equal(before, after) {
		t.Errorf("usage %v, before %v", after, before)
	}
	insert(t, s, numbered(t, 3001, 3002), 1)
	if rows, err := s.EraseLate(t.Context()); err != nil || rows != 1 {
		t.Errorf("%d late rows, %v", rows, err)
	}
	sameAsRows(t, db)
	names := db.Query(t, "SELECT DISTINCT user_id, key_id FROM api_logs WHERE user_id NOT LIKE 'user-%'")
	if len(names) != 1 || !strings.HasPrefix(names[0][0], "erased-") || names[0][1] != names[0][0] {
		t.Errorf("names %v, want one pseudonym", names)
	}
	if n := db.Int(t, "SELECT count(*) FROM api_logs WHERE session_id IS NULL AND client_ip IS NULL AND params IS NULL AND http_request_id IS NULL AND trace_id IS NULL"); n != 601 {
		t.Errorf("%d rows lead to nobody, want 601", n)
	}
	if gaps, err := s.Gaps(t.Context(), time.Time{}, time.Time{}); err != nil || len(gaps) != 0 {
		t.Errorf("gaps %+v, %v", gaps, err)
	}
}

// What retention has removed is still in the roll-ups, with names.
func testEraseAfterRetention(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, numbered(t, 0, 2400), 2400) // 1200 of them before midnight
	if _, err := s.Expire(t.Context(), requestlog.Cutoffs{Rows: Start.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	hourly := func() int {
		return db.Int(t, "SELECT CAST(sum(request_count) AS INTEGER) FROM api_stats_hourly")
	}
	if done := eraseAll(t, s, requestlog.Erasure{Key: "k_none", Before: Start.Add(time.Hour)}); done.Rows != 0 || hourly() != 2400 {
		t.Errorf("%+v", done)
	}
	eraseAll(t, s, requestlog.Erasure{User: "user-2", Before: Start.Add(time.Hour), Pseudonymise: true})
	eraseAll(t, s, requestlog.Erasure{User: "user-1", Before: Start.Add(time.Hour)})
	for _, user := range []string{"user-1", "user-2"} {
		if n := db.Int(t, "SELECT count(*) FROM api_usage WHERE user_id = '"+user+"'"); n != 0 {
			t.Errorf("%d lines of %s", n, user)
		}
	}
	if n := db.Int(t, "SELECT CAST(sum(request_count) AS INTEGER) FROM api_usage"); n != 1920 || hourly() != 1920 {
		t.Errorf("roll-ups of %d and %d requests, want 1920", n, hourly())
	}
	if done := eraseAll(t, s, requestlog.Erasure{Key: "k_7", Before: Start.Add(time.Hour)}); done.Rows != 720 {
		t.Errorf("%+v, want the rows of three users", done)
	}
}
