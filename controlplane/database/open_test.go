package database_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/d1"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/secret"
)

func TestOpenRefusesBadConfig(t *testing.T) {
	f := func(c database.Config, want string) {
		t.Helper()
		_, err := database.Open(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	file := func(path string) database.Config {
		return database.Config{Backend: database.BackendSQLite, SQLitePath: path}
	}
	f(database.Config{Backend: "mysql"}, `"mysql": must be postgres, sqlite or d1`)
	f(file(""), "path is empty")
	f(file(filepath.Join(t.TempDir(), "missing", "log.db")), "missing/log.db")
	f(file(t.TempDir()), "unable to open")
	f(database.Config{Backend: database.BackendPostgres, Postgres: database.PostgresConfig{SSLMode: "perhaps"}}, "sslmode")
	f(database.Config{Backend: database.BackendD1, D1: d1.Config{DatabaseID: "d", Token: secret.New("t"), Base: "ftp://x"}}, "D1_API_BASE")
	f(database.Config{Backend: database.BackendD1, D1: d1.Config{DatabaseID: "d", Token: secret.New("t")}}, "D1_ACCOUNT_ID")
}

func TestErrorsHideThePassword(t *testing.T) {
	f := func(c database.PostgresConfig) {
		t.Helper()
		db, err := database.Open(t.Context(), database.Config{Backend: database.BackendPostgres, Postgres: c})
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err = db.Ping(ctx)
			defer db.Close() //nolint:errcheck // it was never connected
		}
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("error %v, want one without the password", err)
		}
	}
	f(database.PostgresConfig{Host: "127.0.0.1", Port: 1, Password: secret.New("hush")})
	f(database.PostgresConfig{Password: secret.New("hush"), SSLMode: "perhaps"})
	f(database.PostgresConfig{DSN: secret.New("postgres://u:hush@127.0.0.1:1/db")})
	f(database.PostgresConfig{DSN: secret.New("postgres://u:hush@127.0.0.1:port/db")})
	f(database.PostgresConfig{DSN: secret.New("host=127.0.0.1 password=hush port=x")})
	f(database.PostgresConfig{DSN: secret.New("host=127.0.0.1 password='hush")})
	f(database.PostgresConfig{DSN: secret.New("postgres://u:hush%@127.0.0.1/db")})
}

func TestD1RefusesAWrongToken(t *testing.T) {
	db := requestlogtest.D1(t)
	db.Config.D1.Token = secret.New("wrong")
	var refused *d1.Error
	if err := db.Connect(t).Ping(t.Context()); !errors.As(err, &refused) || refused.Status != 401 || refused.Message != "Authentication error" {
		t.Errorf("with a wrong token: %v", err)
	}
}

// Eleven requests at 20 a second take half a second.
func TestD1KeepsToItsRate(t *testing.T) {
	db := requestlogtest.D1(t)
	db.Config.D1.Rate = 20
	conn := db.Connect(t)
	start := time.Now()
	for range 11 {
		if err := conn.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < 490*time.Millisecond {
		t.Errorf("eleven requests took %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := conn.Ping(ctx); err == nil {
		t.Error("a call that cannot be sent in time has no error")
	}
}

// A standby, or a server that was made read-only, answers and is of no use.
func TestAReadOnlyDatabaseIsNotHealthy(t *testing.T) {
	c := requestlogtest.Postgres(t).Config
	dsn := c.Postgres.DSN.Reveal()
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	c.Postgres.DSN = secret.New(dsn + separator + "default_transaction_read_only=on")
	db, err := database.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing was written
	if err := db.Ping(t.Context()); !errors.Is(err, database.ErrReadOnly) {
		t.Errorf("ping of a read-only database: %v", err)
	}
}

// A SQLite file that takes no writes is found out without anyone writing, and
// one that is full by what was written.
func TestASQLiteFileThatTakesNoWrites(t *testing.T) {
	open := func() *database.SQLite {
		db, err := database.Open(t.Context(), database.Config{Backend: database.BackendSQLite, SQLitePath: filepath.Join(t.TempDir(), "gateway.db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db.(*database.SQLite) //nolint:errcheck,forcetypeassert // it is one
	}
	pragma := func(db *database.SQLite, text string) {
		t.Helper()
		if err := db.Pragma(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	readOnly := open()
	pragma(readOnly, "query_only = 1")
	if err := readOnly.Ping(t.Context()); !errors.Is(err, database.ErrReadOnly) {
		t.Errorf("ping of a read-only file: %v", err)
	}
	pragma(readOnly, "query_only = 0")
	if err := readOnly.Ping(t.Context()); !errors.Is(err, database.ErrReadOnly) {
		t.Errorf("it was asked again within the second: %v", err)
	}
	if _, err := readOnly.Write(t.Context(), database.SQL("CREATE TABLE t (x TEXT)")); err != nil {
		t.Fatal(err)
	}
	if err := readOnly.Ping(t.Context()); err != nil {
		t.Errorf("ping after a write: %v", err)
	}

	full := open()
	pragma(full, "max_page_count = 10")
	if err := full.Ping(t.Context()); err != nil {
		t.Errorf("ping of a file with room: %v", err)
	}
	large := []database.Statement{database.SQL("CREATE TABLE IF NOT EXISTS t (x BLOB)"), database.SQL("INSERT INTO t (x) VALUES (zeroblob(100000))")}
	if _, err := full.Write(t.Context(), large...); !errors.Is(err, database.ErrFull) {
		t.Errorf("write: %v", err)
	}
	if err := full.Ping(t.Context()); !errors.Is(err, database.ErrFull) {
		t.Errorf("ping of a full file: %v", err)
	}
	pragma(full, "max_page_count = 1000")
	if _, err := full.Write(t.Context(), large...); err != nil {
		t.Fatal(err)
	}
	if err := full.Ping(t.Context()); err != nil {
		t.Errorf("ping after there was room: %v", err)
	}
}

func TestAD1DatabaseThatTakesNoWrites(t *testing.T) {
	for kind, want := range map[string]error{"full": database.ErrFull, "readonly": database.ErrReadOnly} {
		db := requestlogtest.D1(t)
		conn := db.Connect(t)
		requestlogtest.SpoilD1(t, kind, 1)
		for _, when := range []string{"as it writes", "as it only reads"} {
			if err := conn.Ping(t.Context()); !errors.Is(err, want) {
				t.Errorf("%s: ping %s: %v", kind, when, err)
			}
		}
		if _, err := conn.Write(t.Context(), database.SQL("CREATE TABLE t (x TEXT)")); err != nil {
			t.Fatal(err)
		}
		if err := conn.Ping(t.Context()); err != nil {
			t.Errorf("%s: ping after a write: %v", kind, err)
		}
		if n := db.Int(t, "SELECT count(*) FROM sqlite_master WHERE name = 'gateway_write_probe'"); n != 0 {
			t.Errorf("%s: a write that failed has left something", kind)
		}
		probed := db.Connect(t)
		if err := probed.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if n := db.Int(t, "SELECT count(*) FROM gateway_write_probe"); n != 1 {
			t.Errorf("%s: %d rows were written to find out, want 1", kind, n)
		}
	}
}
