package requestlogtest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/secret"
)

// Postgres makes a database on the cluster that GATEWAY_TEST_POSTGRES names
// (a postgres:// URL of a superuser). Without it the test is skipped, in CI
// it fails.
func Postgres(t testing.TB) *Database {
	t.Helper()
	cluster := os.Getenv("GATEWAY_TEST_POSTGRES") //nolint:forbidigo // a test asks for its server, as no option can reach it
	if cluster == "" {
		const why = "GATEWAY_TEST_POSTGRES is not set: it takes the postgres:// URL of a cluster to make databases on"
		if os.Getenv("CI") == "true" { //nolint:forbidigo // see above
			t.Fatal(why)
		}
		t.Skip(why)
	}
	name := "gw_test_" + strings.ToLower(rand.Text()[:12])
	execPostgres(t, t.Context(), cluster, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		execPostgres(t, context.WithoutCancel(t.Context()), cluster, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	u, err := url.Parse(cluster)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	dsn := u.String()
	return &Database{
		Config: database.Config{Backend: database.BackendPostgres, Postgres: database.PostgresConfig{DSN: secret.New(dsn)}},
		query:  func(t testing.TB, query string) [][]any { return queryPostgres(t, dsn, query) },
	}
}

func execPostgres(t testing.TB, ctx context.Context, dsn, query string) { //nolint:revive // t first, as test helpers have it
	t.Helper()
	conn := connectPostgres(t, ctx, dsn)
	defer conn.Close(ctx) //nolint:errcheck // the statement's own error has been told
	if _, err := conn.Exec(ctx, query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func connectPostgres(t testing.TB, ctx context.Context, dsn string) *pgx.Conn { //nolint:revive // t first, as test helpers have it
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("GATEWAY_TEST_POSTGRES: %v", err)
	}
	conf.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // the suite may run through a pooler
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		t.Fatalf("connect to GATEWAY_TEST_POSTGRES: %v", err)
	}
	return conn
}

func queryPostgres(t testing.TB, dsn, query string) [][]any {
	t.Helper()
	ctx := t.Context()
	conn := connectPostgres(t, ctx, dsn)
	defer conn.Close(ctx) //nolint:errcheck // only read from
	rows, err := conn.Query(ctx, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	table, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) {
		values, err := row.Values()
		for i, v := range values {
			if n, ok := v.(pgtype.Numeric); ok {
				if values[i], err = n.Value(); err != nil {
					return nil, err
				}
			}
		}
		return values, err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return table
}

// Lock keeps all others from tables of a PostgreSQL database until release is called.
func (d *Database) Lock(t testing.TB, tables ...string) (release func()) {
	t.Helper()
	conn := connectPostgres(t, t.Context(), d.Config.Postgres.DSN.Reveal())
	if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "LOCK TABLE "+strings.Join(tables, ", ")+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
