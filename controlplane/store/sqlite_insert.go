package store

import (
	"context"
	"fmt"
)

// Insert implements Store. A trigger keeps the roll-ups.
func (s *SQLite) Insert(ctx context.Context, rows []*Row) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	res, err := s.writer.ExecContext(ctx, s.insert.sql, string(appendRows(nil, rows)))
	if err != nil {
		return 0, fmt.Errorf("insert %d rows: %w", len(rows), classifySQLite(err))
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("count inserted rows: %w", err)
	}
	return int(n), nil
}
