package requestlog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Insert implements Store. A trigger keeps the roll-ups.
func (s *SQLite) Insert(ctx context.Context, rows []*Row) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	contents := withContent(rows)
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("insert %d rows: %w", len(rows), err)
	}
	n, err := insertSQLite(ctx, tx, s.insert.sql, string(appendRows(nil, rows)))
	if err == nil && len(contents) > 0 {
		_, err = insertSQLite(ctx, tx, sqliteContentSQL, string(appendContents(nil, contents)))
	}
	if err != nil {
		undo := tx.Rollback()
		if errors.Is(undo, sql.ErrTxDone) { // a context that has ended has rolled back already
			undo = nil
		}
		return 0, errors.Join(fmt.Errorf("insert %d rows: %w", len(rows), classifySQLite(err)), undo)
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("insert %d rows: %w", len(rows), err)
	}
	return n, nil
}

func insertSQLite(ctx context.Context, tx *sql.Tx, statement, rows string) (int, error) {
	res, err := tx.ExecContext(ctx, statement, rows)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}
