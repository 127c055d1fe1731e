package requestlog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Migrate implements Store. The transaction is the lock.
func (s *SQLite) Migrate(ctx context.Context) error {
	list, err := migrations("sqlite")
	if err != nil {
		return err
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := migrateSQLite(ctx, tx, list); err != nil {
		return errors.Join(fmt.Errorf("migrate: %w", err), tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func migrateSQLite(ctx context.Context, tx *sql.Tx, list []migration) error {
	const create = "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"
	if _, err := tx.ExecContext(ctx, create); err != nil {
		return fmt.Errorf("create schema_migrations: %w", err)
	}
	var done int
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM schema_migrations").Scan(&done); err != nil {
		return fmt.Errorf("read schema_migrations: %w", err)
	}
	for _, m := range list[min(done, len(list)):] {
		if _, err := tx.ExecContext(ctx, m.sql); err != nil {
			return fmt.Errorf("step %d (%s): %w", m.version, m.name, err)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO schema_migrations (version, name) VALUES (?, ?)", m.version, m.name); err != nil {
			return fmt.Errorf("record step %d: %w", m.version, err)
		}
	}
	return nil
}
