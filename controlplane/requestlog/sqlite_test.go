package requestlog_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestSQLite(t *testing.T) { requestlogtest.Conformance(t, requestlogtest.SQLite) }

func TestSQLiteRefusesPathsItCannotUse(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		_, err := requestlog.Open(t.Context(), requestlog.Config{Backend: requestlog.BackendSQLite, SQLitePath: path})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", path, err, want)
		}
	}
	f("", "path is empty")
	f(filepath.Join(t.TempDir(), "missing", "log.db"), "missing/log.db")
	f(t.TempDir(), "unable to open")
}

func TestOpenRefusesUnknownBackends(t *testing.T) {
	_, err := requestlog.Open(t.Context(), requestlog.Config{Backend: "mysql"})
	if err == nil || !strings.Contains(err.Error(), "mysql") || !strings.Contains(err.Error(), "sqlite") {
		t.Errorf("error %v, want one that names mysql and what is allowed", err)
	}
}
