package requestlog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Migrate implements Store. All steps and their record commit together.
func (p *Postgres) Migrate(ctx context.Context) error {
	list, err := migrations("postgres")
	if err != nil {
		return err
	}
	today := time.Now().UTC().Truncate(day)
	days := []time.Time{today, today.Add(day)}
	err = pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if err := migratePostgres(ctx, tx, list); err != nil {
			return err
		}
		return makePartitions(ctx, tx, days)
	})
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	p.days.add(days...)
	return nil
}

func migratePostgres(ctx context.Context, tx pgx.Tx, list []migration) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, $2)", int32(lockClass), int32(lockMigrations)); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	// from here on a step that waits for a table would make all traffic on
	// that table wait behind it; better to give up and be tried again
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '5s'"); err != nil {
		return fmt.Errorf("set lock timeout: %w", err)
	}
	done, err := postgresVersion(ctx, tx)
	if err != nil {
		return err
	}
	for _, m := range list[min(done, len(list)):] {
		// the simple protocol takes a file of several statements
		if _, err := tx.Conn().PgConn().Exec(ctx, m.sql).ReadAll(); err != nil {
			return fmt.Errorf("step %d (%s): %w", m.version, m.name, err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", m.version, m.name); err != nil {
			return fmt.Errorf("record step %d: %w", m.version, err)
		}
	}
	return nil
}

// postgresVersion returns the last step that was run. It asks before it
// creates, so that a role without DDL rights can find everything in order.
func postgresVersion(ctx context.Context, tx pgx.Tx) (version int, err error) {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass('schema_migrations') IS NOT NULL").Scan(&exists); err != nil {
		return 0, fmt.Errorf("look for schema_migrations: %w", err)
	}
	if !exists {
		const create = "CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
		if _, err := tx.Exec(ctx, create); err != nil {
			return 0, fmt.Errorf("create schema_migrations: %w", err)
		}
	}
	if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM schema_migrations").Scan(&version); err != nil {
		return 0, fmt.Errorf("read schema_migrations: %w", err)
	}
	return version, nil
}
