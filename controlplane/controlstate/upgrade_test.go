package controlstate_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// The database of an older release keeps its epoch, releases and keys.
func TestUpgrade(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		conn := db.Connect(t)
		write := func(sql string) {
			t.Helper()
			if _, err := conn.Write(t.Context(), database.SQL(sql)); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		write("CREATE TABLE control_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)")
		files := fstest.MapFS{}
		for _, name := range []string{"0001_control_state.sql", "0002_disabled_endpoints.sql"} {
			text, err := os.ReadFile("migrations/" + name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: text}
		}
		if err := conn.Migrate(t.Context(), database.Migrations{Table: "control_migrations", Files: files}); err != nil {
			t.Fatal(err)
		}
		write("INSERT INTO control_meta (name, value) VALUES ('epoch', 1767225600)")
		write("UPDATE control_meta SET value = 3 WHERE name = 'key_version'")
		write("INSERT INTO control_keys (id, hash, prefix, name, user_id, role, models, created, expires, revoked) VALUES ('k_old', 'hash', 'hyi-a', 'old', 'ana', 'pro', '[]', 1767225600, 0, 0)")
		write("INSERT INTO control_overrides (endpoint, weight, author, time) VALUES ('m:a', 0.5, 'ana', 1767225600)")
		s := open(t, db)
		if s.Epoch() != 1767225600 {
			t.Errorf("epoch %d, want that of the old state", s.Epoch())
		}
		checkOverrides(t, s, map[string]float64{"m:a": 0.5})
		k, err := s.Key(t.Context(), "k_old")
		if err != nil || k.Name != "old" || k.User != "ana" || k.Role != "pro" || !k.Revoked.IsZero() {
			t.Errorf("key %+v, %v", k, err)
		}
		table, err := s.KeyTable(t.Context())
		if err != nil || table.Version != 3 || len(table.Keys) != 1 {
			t.Errorf("key table %+v, %v", table, err)
		}
		commit(t, s, 1)
	})
}
