package requestlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Postgres is the request log in PostgreSQL 13 or later. It keeps no state in
// a session - no prepared statements, no SET, no session locks - so a pooler
// may hand every transaction to another connection.
type Postgres struct {
	pool    *pgxpool.Pool
	timeout time.Duration
	insert  insertPlan
	days    knownDays
}

// OpenPostgres prepares the connection pool; it does not wait for the server.
func OpenPostgres(ctx context.Context, c PostgresConfig) (*Postgres, error) {
	conf, err := pgxpool.ParseConfig(c.ConnString())
	if err != nil {
		return nil, fmt.Errorf("database settings: %w", err)
	}
	conf.MaxConns = int32(cmp.Or(c.MaxConns, 4))
	conf.ConnConfig.ConnectTimeout = 5 * time.Second
	conf.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	conf.ConnConfig.RuntimeParams["application_name"] = "gateway"
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	return &Postgres{pool: pool, timeout: cmp.Or(c.StatementTimeout, 30*time.Second), insert: newInsertPlan()}, nil
}

// ConnString is what the driver takes.
func (c PostgresConfig) ConnString() string {
	if !c.DSN.Empty() {
		return c.DSN.Reveal()
	}
	pairs := []string{
		"host=" + quoteDSN(cmp.Or(c.Host, "localhost")),
		"port=" + strconv.Itoa(cmp.Or(c.Port, 5432)),
		"dbname=" + quoteDSN(cmp.Or(c.Name, "gateway")),
		"user=" + quoteDSN(cmp.Or(c.User, "gateway")),
		"sslmode=" + quoteDSN(cmp.Or(c.SSLMode, "prefer")),
	}
	if !c.Password.Empty() {
		pairs = append(pairs, "password="+quoteDSN(c.Password.Reveal()))
	}
	for name, path := range map[string]string{"sslrootcert": c.RootCert, "sslcert": c.Cert, "sslkey": c.Key} {
		if path != "" {
			pairs = append(pairs, name+"="+quoteDSN(path))
		}
	}
	if strings.Contains(c.Host, ",") {
		pairs = append(pairs, "target_session_attrs=read-write")
	}
	return strings.Join(pairs, " ")
}

func quoteDSN(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Health asks the server for a trivial answer.
func (p *Postgres) Health(ctx context.Context) error {
	if err := p.pool.Ping(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// Close ends all connections.
func (p *Postgres) Close() error {
	p.pool.Close()
	return nil
}

// classify marks the errors that the data causes. Everything else - a lost
// connection, a shutdown, a deadlock, a table that a migration has yet to
// make - passes.
func (p *Postgres) classify(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || len(pg.Code) != 5 {
		return err
	}
	switch pg.Code[:2] {
	case "22", "23", "54": // data exception, integrity violation, limit exceeded
		if isMissingPartition(err) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrRejected, err)
	}
	if pg.Code == "25006" {
		// the server became a standby; only new connections find its successor
		p.pool.Reset()
	}
	return err
}
