package requestlogtest

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/hybridinference/gateway/controlplane/database"
)

// SQLite makes a database file.
func SQLite(t testing.TB) *Database {
	t.Helper()
	// characters that mean something in a URL: paths are chosen by people
	path := filepath.Join(t.TempDir(), "a #1?%20 log.db")
	return &Database{
		Config: database.Config{Backend: database.BackendSQLite, SQLitePath: path},
		query:  func(t testing.TB, query string) [][]any { return querySQLite(t, path, query) },
	}
}

func querySQLite(t testing.TB, path, query string) [][]any {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read from
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close() //nolint:errcheck // Err is asked below
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var table [][]any
	for rows.Next() {
		values := make([]any, len(columns))
		refs := make([]any, len(columns))
		for i := range values {
			refs[i] = &values[i]
		}
		if err := rows.Scan(refs...); err != nil {
			t.Fatal(err)
		}
		table = append(table, values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return table
}
