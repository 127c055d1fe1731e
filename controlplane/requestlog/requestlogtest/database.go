// Package requestlogtest holds what every store must do, as a suite that each
// driver runs against its real database, and the throw-away databases for it.
package requestlogtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// Database is an empty database that goes away with its test.
type Database struct {
	// Config opens it.
	Config database.Config
	query  func(t testing.TB, query string) [][]any
}

// Open returns a store on the database, migrated, and closes it with the test.
func (d *Database) Open(t testing.TB) requestlog.Store {
	t.Helper()
	s := d.OpenEmpty(t)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// OpenEmpty is Open without the migration.
func (d *Database) OpenEmpty(t testing.TB) requestlog.Store {
	t.Helper()
	return requestlog.New(d.Connect(t))
}

// Connect opens the database and closes it with the test.
func (d *Database) Connect(t testing.TB) database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), d.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Query runs SQL past the store and returns all cells as text that is the same
// for every driver: NULL, 1 and 0 for booleans, RFC 3339 times in UTC, compact
// JSON with sorted keys.
func (d *Database) Query(t testing.TB, query string) [][]string {
	t.Helper()
	var table [][]string
	for _, values := range d.query(t, query) {
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = cellText(t, v)
		}
		table = append(table, row)
	}
	return table
}

// Int runs a query whose answer is one integer.
func (d *Database) Int(t testing.TB, query string) int {
	t.Helper()
	table := d.Query(t, query)
	if len(table) != 1 || len(table[0]) != 1 {
		t.Fatalf("%s: answer %v, want one value", query, table)
	}
	n, err := strconv.Atoi(table[0][0])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func cellText(t testing.TB, v any) string {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return "NULL"
	case bool:
		return map[bool]string{true: "1", false: "0"}[v]
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case map[string]any, []any:
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	case string:
		return stringText(t, v)
	}
	return fmt.Sprint(v)
}

// stringText recognises what SQLite has no type for.
func stringText(t testing.TB, s string) string {
	t.Helper()
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return cellText(t, at)
	}
	if len(s) > 0 && (s[0] == '{' || s[0] == '[') {
		var v any
		if json.Unmarshal([]byte(s), &v) == nil {
			return cellText(t, v)
		}
	}
	return s
}
