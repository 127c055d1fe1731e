package controlstate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// Keys of the advisory lock, and the server's own time limit: a statement must
// not go on waiting for the lock when its client has given up.
const (
	lockStatement = "SELECT pg_advisory_xact_lock(1668575852, 1)" // "ctrl"
	limitTime     = "SET LOCAL statement_timeout = '5s'"
)

// postgres keeps nothing in a session, so a pooler may hand every transaction
// to another connection.
type postgres struct{ pool *pgxpool.Pool }

func openPostgres(ctx context.Context, c requestlog.PostgresConfig) (*postgres, error) {
	conf, err := pgxpool.ParseConfig(c.ConnString())
	if err != nil {
		return nil, fmt.Errorf("database settings: %w", err)
	}
	if c.MaxConns > 0 {
		conf.MaxConns = int32(c.MaxConns)
	}
	conf.ConnConfig.ConnectTimeout = maxTimeout
	conf.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	conf.ConnConfig.RuntimeParams["application_name"] = "gateway-control"
	conf.PingTimeout = time.Second
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	return &postgres{pool}, nil
}

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}

// write has writers take turns, as they do in SQLite and D1: a statement sees
// all that was committed before it, and max(id)+1 is nobody else's.
func (p *postgres) write(ctx context.Context, list []statement) (changed []int64, err error) {
	err = pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		batch := new(pgx.Batch)
		batch.Queue(limitTime)
		batch.Queue(lockStatement)
		for _, s := range list {
			batch.Queue(s.sql, s.args...).Exec(func(tag pgconn.CommandTag) error {
				changed = append(changed, tag.RowsAffected())
				return nil
			})
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	return changed, p.classify(err)
}

func (p *postgres) read(ctx context.Context, query statement, each func(row) error) error {
	rows, err := p.pool.Query(ctx, query.sql, query.args...)
	if err != nil {
		return p.classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return p.classify(rows.Err())
}

func (p *postgres) migrate(ctx context.Context, list []step) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		for _, sql := range []string{limitTime, lockStatement} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("lock: %w", err)
			}
		}
		last, err := lastPostgresStep(ctx, tx)
		if err != nil {
			return err
		}
		for _, m := range missing(list, last) {
			// the simple protocol takes a file of several statements
			if _, err := tx.Conn().PgConn().Exec(ctx, m.sql).ReadAll(); err != nil {
				return fmt.Errorf("step %d (%s): %w", m.version, m.name, err)
			}
			if _, err := tx.Exec(ctx, recordStep, m.version, m.name); err != nil {
				return fmt.Errorf("record step %d: %w", m.version, err)
			}
		}
		return nil
	})
}

// lastPostgresStep asks before it creates, so that a role without DDL rights
// can find everything in order.
func lastPostgresStep(ctx context.Context, tx pgx.Tx) (last int, err error) {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass('control_migrations') IS NOT NULL").Scan(&exists); err != nil {
		return 0, fmt.Errorf("look for control_migrations: %w", err)
	}
	if !exists {
		if _, err := tx.Exec(ctx, createSteps); err != nil {
			return 0, fmt.Errorf("create control_migrations: %w", err)
		}
	}
	if err := tx.QueryRow(ctx, lastStep).Scan(&last); err != nil {
		return 0, fmt.Errorf("read control_migrations: %w", err)
	}
	return last, nil
}

func (p *postgres) classify(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch pg.Code {
	case "23505", "23502": // unique_violation, not_null_violation
		return fmt.Errorf("%w: %w", errConstraint, err)
	case "25006": // the server became a standby; only new connections find its successor
		p.pool.Reset()
	}
	return err
}
