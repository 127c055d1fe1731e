package controlstate_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/secret"
)

// A change that fails at its last statement has not happened.
func TestFailureInTheMiddle(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		commit(t, s, 1)
		create(t, s, newKey("a"))
		db.Query(t, "ALTER TABLE control_audit RENAME TO control_audit_away")
		second := controlstate.Commit{
			Release: release(t, s, 2), Set: map[string]float64{"m:a": 1}, Delete: []string{"m:b"}, Audit: entry("apply"),
		}
		var conflict *controlstate.ConflictError
		if err := s.Commit(t.Context(), second); err == nil || errors.As(err, &conflict) {
			t.Errorf("error %v, want the database's", err)
		}
		if err := s.CreateKey(t.Context(), newKey("b"), entry("key.create")); err == nil || errors.Is(err, controlstate.ErrExists) {
			t.Errorf("error %v, want the database's", err)
		}
		if _, err := s.RevokeKey(t.Context(), "a", entry("key.revoke")); err == nil {
			t.Error("a revocation that cannot be audited has no error")
		}
		checkHead(t, s, 1)
		checkOverrides(t, s, map[string]float64{})
		checkTable(t, s, 1, wireKey(newKey("a")))
		db.Query(t, "ALTER TABLE control_audit_away RENAME TO control_audit")
		if err := s.Commit(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		checkOverrides(t, s, second.Set)
	})
}

func TestCancelled(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Commit(ctx, controlstate.Commit{Release: release(t, s, 1), Audit: entry("apply")})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
		if _, err := s.Current(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
		commit(t, s, 1)
	})
}

// hold keeps the database's write lock until the returned function is called.
func hold(t *testing.T, db *requestlogtest.Database) (release func()) {
	t.Helper()
	if db.Config.Backend == database.BackendSQLite {
		return holdSQLite(t, db.Config.SQLitePath)
	}
	conn, err := pgx.Connect(t.Context(), db.Config.Postgres.DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE control_releases"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func holdSQLite(t *testing.T, path string) (release func()) {
	t.Helper()
	file, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_txlock=immediate"}).String())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := file.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(tx.Rollback(), file.Close()); err != nil {
			t.Error(err)
		}
	}
}

// Whoever blocks the database, a call ends in time and the change is not made later.
func TestBlockedDatabase(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		if db.Config.Backend == database.BackendD1 {
			return // no one can hold D1
		}
		s := open(t, db)
		free := hold(t, db)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := s.Commit(ctx, controlstate.Commit{Release: release(t, s, 1), Audit: entry("apply")})
		if err == nil || time.Since(start) > 3*time.Second {
			t.Errorf("error %v after %v, want one in time", err, time.Since(start))
		}
		free()
		commit(t, s, 1)
	})
}

// silent accepts connections and never answers.
func silent(t *testing.T) (port int) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // nothing was written
	addr, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("address %v has no port", listener.Addr())
	}
	return addr.Port
}

func TestPostgresThatDoesNotAnswer(t *testing.T) {
	c := database.Config{Backend: database.BackendPostgres, Postgres: database.PostgresConfig{
		Host: "127.0.0.1", Port: silent(t), Password: secret.New("hush"), StatementTimeout: 200 * time.Millisecond,
	}}
	start := time.Now()
	_, err := controlstate.Open(t.Context(), (&requestlogtest.Database{Config: c}).Connect(t))
	if err == nil || !strings.Contains(err.Error(), "did not answer in time") || time.Since(start) > 3*time.Second {
		t.Errorf("error %v after %v, want a time-out", err, time.Since(start))
	}
	if err != nil && strings.Contains(err.Error(), "hush") {
		t.Errorf("error %v shows the password", err)
	}
}

// throughProxy opens the state of a PostgreSQL database behind a proxy.
func throughProxy(t *testing.T) (*controlstate.State, *proxy) {
	t.Helper()
	db := requestlogtest.Postgres(t)
	p := newProxy(t, db.Config.Postgres.DSN.Reveal())
	c := db.Config
	c.Postgres.DSN = secret.New(p.dsn)
	return open(t, &requestlogtest.Database{Config: c}), p
}

// A server that is gone gives errors at once, and one that comes back is used.
func TestPostgresRestart(t *testing.T) {
	s, proxy := throughProxy(t)
	commit(t, s, 1)
	proxy.cut()
	start := time.Now()
	if err := s.Commit(t.Context(), controlstate.Commit{Release: release(t, s, 2), Audit: entry("apply")}); err == nil {
		t.Error("a commit without a database has no error")
	}
	if err := s.Health(t.Context()); err == nil {
		t.Error("health without a database has no error")
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("two calls took %v", d)
	}
	proxy.mend()
	commit(t, s, 2)
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
}

// The connection breaks between the server's commit and its answer: the caller
// gets an error, the change is there, and a second attempt is told by whom.
func TestLostCommitReply(t *testing.T) {
	s, proxy := throughProxy(t)
	commit(t, s, 1)
	proxy.loseReplyTo("commit")
	second := controlstate.Commit{Release: release(t, s, 2), Set: map[string]float64{"m:a": 1}, Audit: entry("apply")}
	var conflict *controlstate.ConflictError
	if err := s.Commit(t.Context(), second); err == nil || errors.As(err, &conflict) {
		t.Errorf("error %v, want that of the connection", err)
	}
	checkHead(t, s, 2)
	checkOverrides(t, s, second.Set)
	if err := s.Commit(t.Context(), second); !errors.As(err, &conflict) || conflict.Number != 2 || conflict.Author != "ana" {
		t.Errorf("error %v, want a conflict with the release itself", err)
	}
}
