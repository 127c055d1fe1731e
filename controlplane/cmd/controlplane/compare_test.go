package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/wire"
)

// TestCompare has rows in SQLite that D1 lacks: of an hour ago, of three days ago,
// and of this moment. Each variable decides which of them count.
func TestCompare(t *testing.T) {
	d := requestlogtest.D1(t)
	if err := d.Open(t).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.db")
	db, err := database.Open(t.Context(), database.Config{Backend: database.BackendSQLite, SQLitePath: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	store := requestlog.New(db)
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, age := range []time.Duration{2 * time.Hour, 72 * time.Hour, 10 * time.Second} {
		u := requestlogtest.Event(i)
		move(u, time.Now().Add(-age))
		if _, err := store.Insert(t.Context(), []*requestlog.Row{requestlogtest.Row(t, u)}); err != nil {
			t.Fatal(err)
		}
	}
	c := d.Config.D1
	run := func(vars ...string) string {
		t.Helper()
		vars = append([]string{
			"DB_BACKEND=sqlite", "SQLITE_PATH=" + path, "D1_DUAL_WRITE=1", "D1_ACCOUNT_ID=" + c.AccountID, "D1_DATABASE_ID=" + c.DatabaseID, "D1_API_TOKEN=" + c.Token.Reveal(),
			"D1_API_BASE=" + c.Base, "D1_REQUESTS_PER_SECOND=1000",
		}, vars...)
		_, stdout, stderr := finish(t, process(t, dir, vars, "compare"))
		return stdout + stderr
	}
	f := func(want string, vars ...string) {
		t.Helper()
		if out := run(vars...); !strings.Contains(out, want) {
			t.Errorf("%v: %q, want %q", vars, out, want)
		}
	}
	f("1 hours differ")
	f("2 hours differ", "COMPARE_HOURS=100")
	f("2 hours differ", "COMPARE_DELAY_SECONDS=0")
	f("agree: 1 rows", "COMPARE_REPAIR=true")
	f("agree: 1 rows")
}

// move gives an event another time.
func move(u *wire.Usage, to time.Time) {
	u.Time = to.UnixMicro()
	u.RequestID = fmt.Sprintf("gen-%d-%s", to.Unix(), u.RequestID[strings.LastIndexByte(u.RequestID, '-')+1:])
}
