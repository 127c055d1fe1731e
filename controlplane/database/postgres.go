package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Postgres is PostgreSQL 13 or later. Nothing is kept in a session - no
// prepared statements, no SET, no session locks - so a pooler may hand every
// transaction to another connection.
type Postgres struct {
	pool      *pgxpool.Pool
	timeout   time.Duration
	condition condition
}

const (
	// migrateLock is the class of the advisory locks of migrations.
	migrateLock = 0x67617465 // "gate"
	// writeLock has writers take turns. limitTime is the server's own limit: a
	// statement must not keep waiting for the lock when its client has given up.
	writeLock = "SELECT pg_advisory_xact_lock(1668575852, 1)" // "ctrl"
	limitTime = "SET LOCAL statement_timeout = '5s'"
)

func openPostgres(ctx context.Context, c PostgresConfig) (*Postgres, error) {
	conf, err := pgxpool.ParseConfig(c.connString())
	if err != nil {
		return nil, fmt.Errorf("database settings: %w", err)
	}
	conf.MaxConns = int32(cmp.Or(c.MaxConns, 8))
	conf.ConnConfig.ConnectTimeout = callTimeout
	conf.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	conf.ConnConfig.RuntimeParams["application_name"] = "gateway"
	conf.PingTimeout = time.Second
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	return &Postgres{pool: pool, timeout: cmp.Or(c.StatementTimeout, 30*time.Second)}, nil
}

// Backend implements DB.
func (p *Postgres) Backend() string { return BackendPostgres }

// StatementTimeout is how long a large statement may take.
func (p *Postgres) StatementTimeout() time.Duration { return p.timeout }

// CallTimeout implements DB.
func (p *Postgres) CallTimeout() time.Duration { return min(p.timeout, callTimeout) }

// Close implements DB.
func (p *Postgres) Close() error {
	p.pool.Close()
	return nil
}

// Ping implements DB.
func (p *Postgres) Ping(ctx context.Context) error {
	var readOnly bool // a standby, or a server that was put into that state
	if err := p.pool.QueryRow(ctx, "SELECT current_setting('transaction_read_only') = 'on'").Scan(&readOnly); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if readOnly {
		return ErrReadOnly
	}
	return p.condition.now(time.Now())
}

// Write implements DB.
func (p *Postgres) Write(ctx context.Context, list ...Statement) ([]int64, error) {
	return p.write(ctx, list, limitTime, writeLock)
}

// WriteIdempotent implements DB.
func (p *Postgres) WriteIdempotent(ctx context.Context, list ...Statement) ([]int64, error) {
	return p.write(ctx, list)
}

func (p *Postgres) write(ctx context.Context, list []Statement, before ...string) (changed []int64, err error) {
	err = p.Tx(ctx, func(tx pgx.Tx) error {
		// preparing the statements of a batch locks their tables: two that held
		// those and waited for each other's other locks would deadlock
		for _, sql := range before {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		batch := new(pgx.Batch)
		for _, s := range list {
			batch.Queue(s.SQL, s.Args...).Exec(func(tag pgconn.CommandTag) error {
				changed = append(changed, tag.RowsAffected())
				return nil
			})
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	return changed, err
}

// Tx runs do in a transaction, which commits when do returns nil.
func (p *Postgres) Tx(ctx context.Context, do func(pgx.Tx) error) error {
	err := p.classify(pgx.BeginFunc(ctx, p.pool, do))
	p.condition.wrote(err, time.Now())
	return err
}

// Batch runs the statements of batch, with parameters that are encoded already,
// in one round trip and as one transaction, and returns one result for each.
func (p *Postgres) Batch(ctx context.Context, batch *pgconn.Batch) ([]*pgconn.Result, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	results, err := conn.Conn().PgConn().ExecBatch(ctx, batch).ReadAll()
	for _, r := range results {
		if err == nil {
			err = r.Err
		}
	}
	err = p.classify(err)
	p.condition.wrote(err, time.Now())
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Read implements DB.
func (p *Postgres) Read(ctx context.Context, query Statement, each func(Row) error) error {
	rows, err := p.pool.Query(ctx, query.SQL, query.Args...)
	if err != nil {
		return p.classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(pgRow{rows}); err != nil {
			return err
		}
	}
	return p.classify(rows.Err())
}

type pgRow struct{ pgx.Rows }

// Len implements Row.
func (r pgRow) Len() int { return len(r.FieldDescriptions()) }

// Migrate implements DB. All steps and their record commit together.
func (p *Postgres) Migrate(ctx context.Context, m Migrations) error {
	list, err := m.steps()
	if err != nil {
		return err
	}
	if err := p.Tx(ctx, func(tx pgx.Tx) error { return migratePostgres(ctx, tx, m, list) }); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func migratePostgres(ctx context.Context, tx pgx.Tx, m Migrations, list []step) error {
	if _, err := tx.Exec(ctx, "SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock($1, $2)", int32(migrateLock), m.lock()); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	// from here on a step that waits for a table would make all traffic on
	// that table wait behind it; better to give up and be retried
	if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '5s'"); err != nil {
		return fmt.Errorf("set lock timeout: %w", err)
	}
	last, err := lastPostgresStep(ctx, tx, m)
	if err != nil {
		return err
	}
	for _, s := range missing(list, last) {
		// the simple protocol takes a file of several statements
		if _, err := tx.Conn().PgConn().Exec(ctx, s.sql).ReadAll(); err != nil {
			return fmt.Errorf("step %d (%s): %w", s.version, s.name, err)
		}
		record := m.record(s)
		if _, err := tx.Exec(ctx, record.SQL, record.Args...); err != nil {
			return fmt.Errorf("record step %d: %w", s.version, err)
		}
	}
	return nil
}

// lastPostgresStep asks before it creates, so that a role without DDL rights
// can find everything in order.
func lastPostgresStep(ctx context.Context, tx pgx.Tx, m Migrations) (last int, err error) {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1::text) IS NOT NULL", m.Table).Scan(&exists); err != nil {
		return 0, fmt.Errorf("look for %s: %w", m.Table, err)
	}
	if !exists {
		if _, err := tx.Exec(ctx, m.create()); err != nil {
			return 0, fmt.Errorf("create %s: %w", m.Table, err)
		}
	}
	if err := tx.QueryRow(ctx, m.last()).Scan(&last); err != nil {
		return 0, fmt.Errorf("read %s: %w", m.Table, err)
	}
	return last, nil
}

func (p *Postgres) classify(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || len(pg.Code) != 5 {
		return err
	}
	switch pg.Code {
	case "23505", "23502": // unique_violation, not_null_violation
		return fmt.Errorf("%w: %w", ErrConstraint, err)
	case "25006": // the server became a standby; only new connections find its successor
		p.pool.Reset()
		return err
	case "53100": // disk_full
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	switch pg.Code[:2] {
	case "22", "23", "54": // data exception, integrity violation, limit exceeded
		if MissingPartition(err) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrRejected, err)
	}
	return err
}

// Deadlock reports whether PostgreSQL has ended the transaction because it and
// another waited for each other.
func Deadlock(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "40P01"
}

// MissingPartition reports whether PostgreSQL found no partition for a row. A
// violated CHECK has the same code, but names its constraint.
func MissingPartition(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23514" && pg.ConstraintName == ""
}
