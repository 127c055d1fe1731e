package controlstate_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

// both runs check on an empty database of every backend.
func both(t *testing.T, check func(t *testing.T, db *requestlogtest.Database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { check(t, requestlogtest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { check(t, requestlogtest.Postgres(t)) })
	t.Run("d1", func(t *testing.T) { check(t, requestlogtest.D1(t)) })
}

func open(t testing.TB, db *requestlogtest.Database) *controlstate.State {
	t.Helper()
	s, err := controlstate.Open(t.Context(), db.Connect(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// release returns one with a single model that names its number.
func release(t testing.TB, s *controlstate.State, number uint64) wire.Release {
	t.Helper()
	return releaseOf(t, s, number, wire.Snapshot{
		DefaultModel: "m",
		Models:       []wire.Model{{ID: "m", Name: fmt.Sprintf("model of %d", number)}},
	})
}

func releaseOf(t testing.TB, s *controlstate.State, number uint64, snapshot wire.Snapshot) wire.Release {
	t.Helper()
	sum, err := snapshot.Sum()
	if err != nil {
		t.Fatal(err)
	}
	return wire.Release{
		V: wire.Version, Epoch: s.Epoch(), Number: number, Time: 1767225600 + int64(number),
		Author: "ana", Reason: fmt.Sprintf("reason %d", number), Hash: sum, Snapshot: snapshot,
	}
}

func entry(action string) controlstate.Entry {
	return controlstate.Entry{Author: "ana", Action: action}
}

func commit(t testing.TB, s *controlstate.State, number uint64) {
	t.Helper()
	if err := s.Commit(t.Context(), controlstate.Commit{Release: release(t, s, number), Audit: entry("apply")}); err != nil {
		t.Fatal(err)
	}
}

func TestFreshState(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		before := time.Now().Unix()
		s := open(t, db)
		if e := int64(s.Epoch()); e < before || e > time.Now().Unix() {
			t.Errorf("epoch %d, want the second of the creation, %d", e, before)
		}
		if r, err := s.Current(t.Context()); r != nil || err != nil {
			t.Errorf("current release %v, error %v; want none", r, err)
		}
		if h, err := s.Heads(t.Context()); h != (controlstate.Heads{}) || err != nil {
			t.Errorf("heads %+v, error %v; want none", h, err)
		}
		if err := s.Health(t.Context()); err != nil {
			t.Error(err)
		}
		overrides, err := s.Overrides(t.Context())
		if err != nil || overrides.Weights == nil || len(overrides.Weights)+len(overrides.Disabled)+len(overrides.Selections) != 0 {
			t.Errorf("overrides %v, error %v; want empty maps", overrides, err)
		}
		table, err := s.KeyTable(t.Context())
		if err != nil || table.Version != 0 || table.Epoch != s.Epoch() || len(table.Keys) != 0 {
			t.Errorf("key table %+v, error %v; want an empty one", table, err)
		}
	})
}

// The epoch is that of the state, not of the process that opens it, and an
// operator may start a new one after restoring a backup.
func TestReopen(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		commit(t, s, 1)
		db.Query(t, "UPDATE control_meta SET value = 1234567890 WHERE name = 'epoch'")
		if err := s.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "epoch is 1234567890") {
			t.Errorf("health of a replaced state: error %v, want one with its epoch", err)
		}
		again := open(t, db)
		if err := again.Health(t.Context()); err != nil {
			t.Error(err)
		}
		if again.Epoch() != 1234567890 {
			t.Errorf("epoch %d after reopening, want the stored 1234567890", again.Epoch())
		}
		r, err := again.Current(t.Context())
		if err != nil || r == nil || r.Number != 1 || r.Epoch != 1234567890 {
			t.Errorf("current release %+v, error %v; want number 1 of the stored epoch", r, err)
		}
	})
}

// The request log may live in the same database, and may come later.
func TestBesideRequestLog(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		db.Open(t)
		commit(t, s, 1)
		commit(t, open(t, db), 2)
	})
}

// Programs that start together make one state.
func TestOpenTogether(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		var wg sync.WaitGroup
		var epochs [6]uint64
		for i := range epochs {
			wg.Go(func() {
				s, err := controlstate.Open(t.Context(), db.Connect(t))
				if err != nil {
					t.Error(err)
					return
				}
				epochs[i] = s.Epoch()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, e := range epochs {
			if e != epochs[0] || e == 0 {
				t.Fatalf("epochs %v, want all the same", epochs)
			}
		}
		if n := db.Int(t, "SELECT count(*) FROM control_migrations"); n < 1 {
			t.Errorf("%d migrations recorded", n)
		}
	})
}

// During an upgrade the database is ahead of the older program.
func TestDatabaseAhead(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		commit(t, open(t, db), 1)
		db.Query(t, "INSERT INTO control_migrations (version, name) VALUES (999, 'from the future')")
		commit(t, open(t, db), 2)
	})
}

// The settings one by one lead to the same database as a DSN does.
func TestPostgresSettings(t *testing.T) {
	db := requestlogtest.Postgres(t)
	commit(t, open(t, db), 1)
	u, err := pgx.ParseConfig(db.Config.Postgres.DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	c := db.Config
	c.Postgres = database.PostgresConfig{
		Host: u.Host, Port: int(u.Port), Name: u.Database, User: u.User,
		Password: secret.New(u.Password + `a&b=c '\\?#`), // the test cluster trusts everybody
		SSLMode:  "disable", MaxConns: 2,
	}
	checkHead(t, open(t, &requestlogtest.Database{Config: c}), 1)
}
