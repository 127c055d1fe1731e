package requestlog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Postgres is the request log in PostgreSQL, one partition a day.
type Postgres struct {
	log
	pg     *database.Postgres
	insert insertPlan
	days   knownDays
}

func newPostgres(db *database.Postgres) *Postgres {
	return &Postgres{log: log{db: db, d: postgresDialect(), timeout: db.StatementTimeout()}, pg: db, insert: newInsertPlan()}
}

// Migrate implements Store.
func (p *Postgres) Migrate(ctx context.Context) error {
	if err := p.migrate(ctx, "postgres"); err != nil {
		return err
	}
	today := time.Now().UTC().Truncate(day)
	days := []time.Time{today, today.Add(day)}
	if err := p.pg.Tx(ctx, func(tx pgx.Tx) error { return makePartitions(ctx, tx, days) }); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	p.days.add(days...)
	return nil
}
