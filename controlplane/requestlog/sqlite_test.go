package requestlog_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/eventually"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	requestlogtest.Conformance(t, requestlogtest.SQLite)
}

// A query without an end ends with its context.
func TestSQLiteQueryIsInterrupted(t *testing.T) {
	t.Parallel()
	db := requestlogtest.SQLite(t)
	s := db.Open(t)
	insertAll(t, s, 1, 2)
	if _, err := db.Connect(t).Write(t.Context(), database.SQL("ALTER TABLE api_logs RENAME TO kept"),
		database.SQL("CREATE VIEW api_logs AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT kept.* FROM n CROSS JOIN kept")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := s.Logs(ctx, requestlog.LogQuery{Outcome: "none"})
	if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took > eventually.Limit {
		t.Errorf("%v after %s", err, took)
	}
}
