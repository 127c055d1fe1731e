package requestlog_test

import (
	"fmt"
	"os"
	"path"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// oldLog makes the tables of a program that knew the first steps only, with the
// record of steps that the first release made, and two rows.
func oldLog(t *testing.T, db *requestlogtest.Database, record, dialect string, steps int) {
	t.Helper()
	conn := db.Connect(t)
	write := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Write(t.Context(), database.SQL(sql, args...)); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	write(record)
	folder := path.Join("migrations", dialect)
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, file := range list[:steps] {
		text, err := os.ReadFile(path.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[file.Name()] = &fstest.MapFile{Data: text}
	}
	if err := conn.Migrate(t.Context(), database.Migrations{Table: "schema_migrations", Files: files}); err != nil {
		t.Fatal(err)
	}
	if dialect == "postgres" {
		write("CREATE TABLE api_logs_20260526 PARTITION OF api_logs FOR VALUES FROM ('2026-05-26 00:00:00+00') TO ('2026-05-27 00:00:00+00')")
	}
	for n := range 2 {
		u := requestlogtest.Event(n)
		write(fmt.Sprintf(`INSERT INTO api_logs (request_id, timestamp, received_at, node, spool_epoch, seq, model_id, model, provider, stream, status_code, latency_ms, latency_bucket, total_tokens)
			VALUES ('%s', '%s', '%[2]s', 'n', 'e', %d, '%s', '%s', '%s', %s, 200, 100, 50, 10)`,
			u.RequestID, requestlogtest.Start.Format(time.RFC3339), n+1, u.RequestedModel, u.Model, u.Provider, map[string]string{"postgres": "true", "sqlite": "1"}[dialect]))
	}
}

// The database of an older release keeps its rows and takes new ones.
func TestUpgrade(t *testing.T) {
	f := func(name string, create func(testing.TB) *requestlogtest.Database, record, dialect string, steps int) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			db := create(t)
			oldLog(t, db, record, dialect, steps)
			s := db.Open(t)
			insertAll(t, s, 0, 10) // the first two are there
			if n := db.Int(t, "SELECT count(*) FROM api_logs"); n != 10 {
				t.Errorf("%d rows, want 10", n)
			}
			if n := db.Int(t, "SELECT count(*) FROM schema_migrations"); n < steps || n != db.Int(t, "SELECT max(version) FROM schema_migrations") {
				t.Errorf("%d steps recorded", n)
			}
			requestlogtest.SameByHour(t, db)
			list, err := s.Logs(t.Context(), requestlog.LogQuery{Limit: 100})
			if err != nil || len(list) != 10 {
				t.Errorf("the log has %d rows, %v", len(list), err)
			}
		})
	}
	f("postgres", requestlogtest.Postgres, "CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())", "postgres", 3)
	f("sqlite", requestlogtest.SQLite, "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)", "sqlite", 2)
	f("d1", requestlogtest.D1, "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL)", "sqlite", 2)
}
