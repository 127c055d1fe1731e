package controlstate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

type sqliteFile struct{ pool *sql.DB }

// openSQLite opens or creates the file. Commits are on disk when write returns
// (synchronous=FULL).
func openSQLite(ctx context.Context, path string) (*sqliteFile, error) {
	if path == "" {
		return nil, errors.New("the path of the SQLite file is empty")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("path of the SQLite file: %w", err)
	}
	pool, err := requestlog.OpenFile(ctx, path, 4) //nolint:mnd // readers beside the one writer
	if err != nil {
		return nil, fmt.Errorf("SQLite file %s: %w", path, err)
	}
	return &sqliteFile{pool}, nil
}

func (f *sqliteFile) close() error { return f.pool.Close() }

// numbered turns $1 into ?1, which SQLite and D1 take by its number. The
// package's SQL has no other dollar.
func numbered(sql string) string { return strings.ReplaceAll(sql, "$", "?") }

func (f *sqliteFile) write(ctx context.Context, batch []statement) (changed []int64, err error) {
	err = f.inTx(ctx, func(tx *sql.Tx) error {
		for _, s := range batch {
			result, err := tx.ExecContext(ctx, numbered(s.sql), s.args...)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			changed = append(changed, n)
		}
		return nil
	})
	return changed, classifySQLite(err)
}

func (f *sqliteFile) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := f.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		// a context that has ended has rolled back already
		if undo := tx.Rollback(); !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, undo)
		}
		return err
	}
	return tx.Commit()
}

func (f *sqliteFile) read(ctx context.Context, query statement, each func(row) error) error {
	rows, err := f.pool.QueryContext(ctx, numbered(query.sql), query.args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err is asked below
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (f *sqliteFile) migrate(ctx context.Context, list []step) error {
	return f.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, createSteps); err != nil {
			return fmt.Errorf("create control_migrations: %w", err)
		}
		var last int
		if err := tx.QueryRowContext(ctx, lastStep).Scan(&last); err != nil {
			return fmt.Errorf("read control_migrations: %w", err)
		}
		for _, m := range missing(list, last) {
			if _, err := tx.ExecContext(ctx, m.sql); err != nil {
				return fmt.Errorf("step %d (%s): %w", m.version, m.name, err)
			}
			if _, err := tx.ExecContext(ctx, numbered(recordStep), m.version, m.name); err != nil {
				return fmt.Errorf("record step %d: %w", m.version, err)
			}
		}
		return nil
	})
}

func classifySQLite(err error) error {
	var failed *sqlite.Error
	if errors.As(err, &failed) && failed.Code()&0xff == sqlite3.SQLITE_CONSTRAINT {
		return fmt.Errorf("%w: %w", errConstraint, err)
	}
	return err
}
