package requestlog_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/secret"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	requestlogtest.Conformance(t, requestlogtest.Postgres)
}

const partitionsSQL = "SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY 1) FROM pg_inherits WHERE inhparent = 'api_logs'::regclass"

func partitions(t *testing.T, db *requestlogtest.Database) string {
	t.Helper()
	return db.Query(t, partitionsSQL)[0][0]
}

// Each day is a partition, made when a row needs it, by whoever comes first,
// and again if retention has dropped it meanwhile.
func TestPostgresPartitions(t *testing.T) {
	db := requestlogtest.Postgres(t)
	s := db.Open(t)
	today := time.Now().UTC()
	for _, day := range []time.Time{today, today.AddDate(0, 0, 1)} {
		if name := "api_logs_" + day.Format("20060102"); !strings.Contains(partitions(t, db), name) {
			t.Errorf("partitions after migration: %s, want %s among them", partitions(t, db), name)
		}
	}
	other := db.OpenEmpty(t)
	insertAll(t, s, 0, 2000) // Start is shortly before midnight
	for _, name := range []string{"api_logs_20260526", "api_logs_20260527"} {
		if !strings.Contains(partitions(t, db), name) {
			t.Errorf("partitions after insert: %s, want %s among them", partitions(t, db), name)
		}
	}
	insertAll(t, other, 1900, 2100)
	if n := db.Int(t, "SELECT count(*) FROM api_logs_20260527"); n != 900 {
		t.Errorf("%d rows on the second day, want 900", n)
	}
	db.Query(t, "DROP TABLE api_logs_20260526")
	insertAll(t, s, 0, 10)
	if n := db.Int(t, "SELECT count(*) FROM api_logs_20260526"); n != 10 {
		t.Errorf("%d rows on the day that was dropped and needed again, want 10", n)
	}
}

// Making a partition must not wait for long readers of the log, nor they for it.
func TestPostgresPartitionIsMadeWhileTheLogIsRead(t *testing.T) {
	db := requestlogtest.Postgres(t)
	s := db.Open(t)
	reader := connect(t, db)
	if _, err := reader.Exec(t.Context(), "BEGIN; SELECT count(*) FROM api_logs"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := s.Insert(ctx, requestlogtest.Rows(t, 0, 5)); err != nil {
		t.Errorf("insert that needs a partition, beside an open transaction: %v", err)
	}
}

// A statement that hangs is given up by the server, the error is worth another
// attempt, and the connection is as it was.
func TestPostgresStatementTimeout(t *testing.T) {
	db := requestlogtest.Postgres(t)
	insertAll(t, db.Open(t), 0, 1)
	hasty := *db
	hasty.Config.Postgres.StatementTimeout = 200 * time.Millisecond
	hasty.Config.Postgres.MaxConns = 1
	s := hasty.OpenEmpty(t)
	insertAll(t, s, 1, 2) // knows the day's partition from now on
	locker := connect(t, db)
	if _, err := locker.Exec(t.Context(), "BEGIN; LOCK TABLE api_stats_hourly IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Insert(t.Context(), requestlogtest.Rows(t, 2, 5))
	if err == nil || errors.Is(err, requestlog.ErrRejected) || !strings.Contains(err.Error(), "statement timeout") {
		t.Errorf("error %v, want a statement timeout that is not %q", err, requestlog.ErrRejected)
	}
	if _, err := locker.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	insertAll(t, s, 2, 5)
}

// A connection that the server closed costs one failed attempt at most.
func TestPostgresConnectionLost(t *testing.T) {
	db := requestlogtest.Postgres(t)
	s := db.Open(t)
	insertAll(t, s, 0, 5)
	db.Query(t, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	var err error
	for range 5 {
		if _, err = s.Insert(t.Context(), requestlogtest.Rows(t, 5, 10)); err == nil {
			break
		}
		if errors.Is(err, requestlog.ErrRejected) {
			t.Fatalf("a lost connection is taken for bad data: %v", err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := db.Int(t, "SELECT count(*) FROM api_logs"); n != 10 {
		t.Errorf("%d rows, want 10", n)
	}
}

// Open must succeed while the server is down: the caller waits, not dies.
func TestPostgresDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(l.Addr().String()))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	db := requestlogtest.Database{Config: database.Config{Backend: database.BackendPostgres, Postgres: database.PostgresConfig{
		Host: "127.0.0.1", Port: addr.Port, Name: "it's", User: `back\slash`, Password: secret.New("top secret"),
	}}}
	s := db.OpenEmpty(t)
	_, insertErr := s.Insert(t.Context(), requestlogtest.Rows(t, 0, 1))
	for what, err := range map[string]error{"insert": insertErr, "health": s.Health(t.Context()), "migrate": s.Migrate(t.Context())} {
		if err == nil || errors.Is(err, requestlog.ErrRejected) || strings.Contains(err.Error(), "top secret") {
			t.Errorf("%s: error %v, want one that is not %q and shows no password", what, err, requestlog.ErrRejected)
		}
	}
}

func insertAll(t *testing.T, s requestlog.Store, first, end int) {
	t.Helper()
	if _, err := s.Insert(t.Context(), requestlogtest.Rows(t, first, end)); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, db *requestlogtest.Database) *pgx.Conn {
	t.Helper()
	conf, err := pgx.ParseConfig(db.Config.Postgres.DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	conf.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // several statements at once
	conn, err := pgx.ConnectConfig(t.Context(), conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) }) //nolint:errcheck // the database goes away
	return conn
}
