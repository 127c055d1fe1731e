package requestlog_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
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

// Repricing locks the lines of roll-ups in the order of their keys, as collectors
// do: while it waits for one it holds none that comes later.
func TestPostgresRepriceLocksInOrder(t *testing.T) {
	db := requestlogtest.Postgres(t)
	s := db.Open(t)
	const models, waits = 12, 5
	rows := make([]*requestlog.Row, 4*models)
	prices := map[string][]requestlog.Prices{}
	for i := range rows {
		u := requestlogtest.Event(i)
		u.RequestID = fmt.Sprintf("gen-%d-%020d", requestlogtest.Start.Unix(), i)
		u.Model = fmt.Sprintf("m%02d", models-1-i/4)
		u.Endpoint, u.UsageSource, u.PromptTokens = u.Model+":e", wire.UsageProvider, 1000
		u.Provider, u.Node, u.KeyID, u.UserID, u.TeamID, u.UpstreamCostUSD = "p", "n", "k", "u", "t", ""
		rows[i] = requestlogtest.Row(t, u)
		list, err := price.New(wire.Pricing{Prompt: "17", Completion: "1"})
		if err != nil {
			t.Fatal(err)
		}
		prices[u.Endpoint] = []requestlog.Prices{{List: list}}
	}
	for _, row := range rows { // the last model first, so that the lines do not lie in the order of their keys
		if n, err := s.Insert(t.Context(), []*requestlog.Row{row}); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	}
	locker := connect(t, db)
	for column, table := range map[string]string{"model_id": "api_stats_hourly", "model": "api_usage"} {
		lock := "SELECT 1 FROM " + table + " WHERE " + column + " = $1 FOR UPDATE NOWAIT"
		tx, err := locker.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), lock, fmt.Sprintf("m%02d", waits)); err != nil {
			t.Fatal(err)
		}
		var done sync.WaitGroup
		done.Go(func() {
			q := requestlog.RepriceQuery{Since: requestlogtest.Start, Until: requestlogtest.Start.Add(time.Second), Now: requestlogtest.Start, Prices: prices}
			if _, err := s.Reprice(t.Context(), q); err != nil {
				t.Error(err)
			}
		})
		eventually.True(t, "it waits for "+table, func() bool {
			return db.Query(t, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")[0][0] == "1"
		})
		for m := waits + 1; m < models; m++ {
			if _, err := tx.Exec(t.Context(), lock, fmt.Sprintf("m%02d", m)); err != nil {
				t.Errorf("%s: %d of %d: %v", table, m, models, err)
				break
			}
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		done.Wait()
		for endpoint := range prices { // something changes in the next round, too
			list, err := price.New(wire.Pricing{Prompt: "19", Completion: "1"})
			if err != nil {
				t.Fatal(err)
			}
			prices[endpoint] = []requestlog.Prices{{List: list}}
		}
	}
	sums := db.Query(t, "SELECT (SELECT sum(cost_usd) FROM api_logs), trim_scale((SELECT sum(cost_usd) FROM api_usage)), trim_scale((SELECT sum(total_cost_usd) FROM api_stats_hourly))")[0]
	if sums[0] != sums[1] || sums[0] != sums[2] || sums[0] < "0.8" {
		t.Errorf("rows, slots and hours cost %q", sums)
	}
}
