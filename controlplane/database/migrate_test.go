package database_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func each(t *testing.T, check func(t *testing.T, db *requestlogtest.Database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { check(t, requestlogtest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { check(t, requestlogtest.Postgres(t)) })
	t.Run("d1", func(t *testing.T) { check(t, requestlogtest.D1(t)) })
}

func steps(n int) database.Migrations {
	files := fstest.MapFS{}
	for i := range n {
		files[fmt.Sprintf("%04d_step.sql", i+1)] = &fstest.MapFile{Data: fmt.Appendf(nil, "-- a comment; with a semicolon\nCREATE TABLE t%d (id BIGINT NOT NULL PRIMARY KEY);\nINSERT INTO t%[1]d (id)\n    VALUES (%[1]d);\n", i+1)}
	}
	return database.Migrations{Table: "t_migrations", Files: files}
}

// Several processes that start together run each step once, and later ones
// only what is new.
func TestMigrate(t *testing.T) {
	each(t, func(t *testing.T, db *requestlogtest.Database) {
		f := func(n, want int) {
			t.Helper()
			var wg sync.WaitGroup
			for range 4 {
				conn := db.Connect(t)
				wg.Go(func() {
					if err := conn.Migrate(t.Context(), steps(n)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if got := db.Int(t, "SELECT max(version) FROM t_migrations"); got != want {
				t.Errorf("step %d recorded last, want %d", got, want)
			}
		}
		f(2, 2)
		f(5, 5)
		f(3, 5) // an older program leaves them alone
		if got := db.Int(t, "SELECT count(*) FROM t_migrations"); got != 5 {
			t.Errorf("%d steps recorded, want 5", got)
		}
		if got := db.Int(t, "SELECT id FROM t5"); got != 5 {
			t.Errorf("t5 has %d", got)
		}
	})
}

// A step that fails leaves nothing behind, is not recorded and is an error each
// time, a violated constraint too, which could be taken for the record of
// another process.
func TestMigrateFails(t *testing.T) {
	each(t, func(t *testing.T, db *requestlogtest.Database) {
		conn := db.Connect(t)
		for name, bad := range map[string]string{"constraint": "INSERT INTO t1 (id) VALUES (1);", "syntax": "CREATE TABEL x;"} {
			m := database.Migrations{Table: "t_migrations", Files: fstest.MapFS{
				"0001_step.sql": steps(1).Files.(fstest.MapFS)["0001_step.sql"], //nolint:errcheck // made above
				"0002_bad.sql":  {Data: []byte("CREATE TABLE half (id BIGINT);\n" + bad + "\n")},
			}}
			for range 2 {
				if err := conn.Migrate(t.Context(), m); err == nil || !strings.Contains(err.Error(), "step 2 (bad)") {
					t.Errorf("%s: error %v, want one that names step 2 (bad)", name, err)
				}
			}
		}
		if err := conn.Migrate(t.Context(), steps(2)); err != nil {
			t.Fatal(err)
		}
		if got := db.Int(t, "SELECT count(*) FROM t_migrations"); got != 2 {
			t.Errorf("%d steps recorded, want 2", got)
		}
		if _, err := conn.Write(t.Context(), database.SQL("INSERT INTO half (id) VALUES (1)")); err == nil {
			t.Error("a table of the failed step exists")
		}
	})
}

func TestMigrateNeedsNumbersWithoutGap(t *testing.T) {
	db := requestlogtest.SQLite(t).Connect(t)
	err := db.Migrate(t.Context(), database.Migrations{Table: "m", Files: fstest.MapFS{"0002_late.sql": {}}})
	if err == nil || !strings.Contains(err.Error(), "0002_late.sql") {
		t.Errorf("error %v, want one that names the file", err)
	}
}

// Errors are of the same class in every database, and a transaction that fails
// has changed nothing.
func TestErrorClasses(t *testing.T) {
	each(t, func(t *testing.T, db *requestlogtest.Database) {
		conn := db.Connect(t)
		ctx := t.Context()
		if _, err := conn.Write(ctx, database.SQL("CREATE TABLE c (id BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL CHECK (n > 0))")); err != nil {
			t.Fatal(err)
		}
		insert := func(id, n any) error {
			changed, err := conn.Write(ctx, database.SQL("INSERT INTO c (id, n) VALUES (100, 1)"), database.SQL("INSERT INTO c (id, n) VALUES (CAST($1 AS BIGINT), CAST($2 AS BIGINT))", id, n))
			if err == nil && (len(changed) != 2 || changed[0] != 1 || changed[1] != 1) {
				t.Errorf("changed %v", changed)
			}
			return err
		}
		if err := insert(int64(1), int64(1)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(ctx, database.SQL("DELETE FROM c WHERE id = 100")); err != nil {
			t.Fatal(err)
		}
		f := func(what string, err error, rejected, constraint bool) {
			t.Helper()
			if err == nil || errors.Is(err, database.ErrRejected) != rejected || errors.Is(err, database.ErrConstraint) != constraint {
				t.Errorf("%s: error %v, want rejected %v, constraint %v", what, err, rejected, constraint)
			}
			if n := db.Int(t, "SELECT count(*) FROM c"); n != 1 {
				t.Errorf("%s: %d rows, want 1", what, n)
			}
		}
		f("duplicate", insert(int64(1), int64(1)), true, true)
		f("NULL", insert(int64(2), nil), true, true)
		f("CHECK", insert(int64(2), int64(-1)), true, false)
		_, err := conn.WriteIdempotent(ctx, database.SQL("INSERT INTO c (id, n) VALUES (100, 1)"), database.SQL("INSERT INTO nowhere VALUES (1)"))
		f("no table", err, false, false)
	})
}
