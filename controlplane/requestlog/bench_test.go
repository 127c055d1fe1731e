package requestlog_test

import (
	"fmt"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
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
