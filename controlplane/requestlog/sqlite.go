package requestlog

import (
	"context"
	"fmt"

	"github.com/hybridinference/gateway/controlplane/database"
)

// SQLite is the request log in SQLite's dialect: in a file or in Cloudflare D1.
type SQLite struct {
	log
	insert string
}

func newSQLite(db database.DB) *SQLite {
	return &SQLite{log: log{db: db, d: sqliteDialect()}, insert: jsonInsertSQL()}
}

// Migrate implements Store.
func (s *SQLite) Migrate(ctx context.Context) error { return s.migrate(ctx, "sqlite") }

// Insert implements Store. A trigger keeps the roll-ups.
func (s *SQLite) Insert(ctx context.Context, rows []*Row) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	batch := []database.Statement{database.SQL(s.insert, string(appendRows(nil, rows)))}
	if contents := withContent(rows); len(contents) > 0 {
		batch = append(batch, database.SQL(sqliteContentSQL, string(appendContents(nil, contents))))
	}
	changed, err := s.db.WriteIdempotent(ctx, batch...)
	if err != nil {
		return 0, fmt.Errorf("insert %d rows: %w", len(rows), err)
	}
	return int(changed[0]), nil
}
