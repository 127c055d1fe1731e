package requestlog

import (
	"context"
	"fmt"

	"github.com/hybridinference/gateway/controlplane/d1"
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
	var batch []database.Statement
	for _, text := range parameters(rows, appendRows) {
		batch = append(batch, database.SQL(s.insert, text))
	}
	inserts := len(batch)
	if contents := withContent(rows); len(contents) > 0 {
		for _, text := range parameters(contents, appendContents) {
			batch = append(batch, database.SQL(sqliteContentSQL, text))
		}
	}
	changed, err := s.db.WriteIdempotent(ctx, batch...)
	if err != nil {
		return 0, fmt.Errorf("insert %d rows: %w", len(rows), err)
	}
	inserted := 0
	for _, n := range changed[:inserts] {
		inserted += int(n)
	}
	return inserted, nil
}

// parameters are the rows as JSON, in parts that D1 takes as parameters.
func parameters(rows []*Row, encode func([]byte, []*Row) []byte) []string {
	text := encode(nil, rows)
	if len(text) <= d1.MaxValue || len(rows) == 1 {
		return []string{string(text)}
	}
	half := len(rows) / 2
	return append(parameters(rows[:half], encode), parameters(rows[half:], encode)...)
}
