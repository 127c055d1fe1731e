package requestlog_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// One iteration is one row, inserted in batches of 1,000 as the collector does.
func benchmarkInsert(b *testing.B, create func(testing.TB) *requestlogtest.Database) {
	const size = 1000
	db := create(b)
	s := db.Open(b)
	b.ReportAllocs()
	for done := 0; done < b.N; done += size {
		b.StopTimer()
		rows := make([]*requestlog.Row, min(size, b.N-done))
		for i := range rows {
			u := requestlogtest.Event(done + i)
			// a thousand a second, as much as one second of a busy gateway
			u.RequestID = fmt.Sprintf("gen-%d-%020d", requestlogtest.Start.Unix()+int64((done+i)/1000), done+i)
			rows[i] = requestlogtest.Row(b, u)
		}
		b.StartTimer()
		if n, err := s.Insert(b.Context(), rows); err != nil || n != len(rows) {
			b.Fatalf("inserted %d of %d: %v", n, len(rows), err)
		}
	}
}

func BenchmarkInsertPostgres(b *testing.B) { benchmarkInsert(b, requestlogtest.Postgres) }

func BenchmarkInsertSQLite(b *testing.B) { benchmarkInsert(b, requestlogtest.SQLite) }

func BenchmarkNewRow(b *testing.B) {
	u := requestlogtest.Event(1)
	b.ReportAllocs()
	for b.Loop() {
		requestlogtest.Row(b, u)
	}
}

// One iteration is one row that gets another price, of a log of b.N rows:
// -benchtime=1000000x for a million.
func BenchmarkRepricePostgres(b *testing.B) {
	db := requestlogtest.Postgres(b)
	s := db.Open(b)
	rows := make([]*requestlog.Row, 2000)
	for i := range rows {
		rows[i] = requestlogtest.Row(b, requestlogtest.Event(i))
	}
	if _, err := s.Insert(b.Context(), rows); err != nil {
		b.Fatal(err)
	}
	columns := db.Query(b, `SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) FROM information_schema.columns
		WHERE table_name = 'api_logs' AND column_name NOT IN ('request_id', 'timestamp', 'received_at')`)[0][0]
	for done := len(rows); done < b.N; done += 500_000 { // a thousand rows a second of the log
		db.Query(b, fmt.Sprintf(`WITH made AS (INSERT INTO api_logs (request_id, timestamp, received_at, %[1]s)
			SELECT 'gen-' || (extract(epoch FROM timestamp)::bigint / 1000 * 1000 + 3600 + n / 1000) || '-' || lpad(n::text, 20, 'x'), to_timestamp(extract(epoch FROM timestamp)::bigint / 1000 * 1000 + 3600 + n / 1000),
				to_timestamp(extract(epoch FROM timestamp)::bigint / 1000 * 1000 + 3600 + n / 1000), %[1]s
			FROM (SELECT * FROM api_logs WHERE request_id LIKE '%%-00000000000000000001') l, generate_series(%[2]d, %[3]d) n RETURNING 1) SELECT count(*) FROM made`, columns, done, min(done+500_000, b.N)-1))
	}
	benchmarkReprice(b, s)
}

// The same of rows that were inserted.
func BenchmarkRepriceSQLite(b *testing.B) {
	s := requestlogtest.SQLite(b).Open(b)
	for first := 0; first < b.N; first += 1000 {
		if _, err := s.Insert(b.Context(), requestlogtest.Rows(b, first, min(first+1000, b.N))); err != nil {
			b.Fatal(err)
		}
	}
	benchmarkReprice(b, s)
}

func benchmarkReprice(b *testing.B, s requestlog.Store) {
	b.Helper()
	list, err := price.New(wire.Pricing{Prompt: "3", Completion: "15", CacheRead: "0.3", CacheWrite: "3.75"})
	if err != nil {
		b.Fatal(err)
	}
	q := requestlog.RepriceQuery{
		Since: requestlogtest.Start.Add(-time.Hour), Until: requestlogtest.Start.AddDate(0, 0, 3), Now: requestlogtest.Start.AddDate(0, 0, 4),
		Prices: map[string][]requestlog.Prices{"model:local-8000": {{List: list}}},
	}
	var changed int64
	b.ResetTimer()
	for {
		got, err := s.Reprice(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		changed += got.Changed
		if q.After = got.Next; q.After == "" {
			break
		}
	}
	b.ReportMetric(float64(changed), "rows")
}
