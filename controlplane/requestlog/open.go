package requestlog

import (
	"context"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/d1"
	"github.com/hybridinference/gateway/shared/secret"
)

// Backends that Open knows.
const (
	BackendPostgres = "postgres"
	BackendSQLite   = "sqlite"
	BackendD1       = "d1"
)

// Config says which database to use and how to reach it.
type Config struct {
	// Backend is one of the above.
	Backend  string
	Postgres PostgresConfig
	// SQLitePath is the database file; its directory must exist.
	SQLitePath string
	D1         d1.Config
}

// PostgresConfig is the way to a PostgreSQL server or to a pooler in front of one.
type PostgresConfig struct {
	// DSN is a postgres:// URL or key=value list; when set, the fields up to
	// SSLMode are not used.
	DSN secret.String
	// Host may list several servers of one cluster, separated by commas; the
	// one that accepts writes is used. Default localhost.
	Host string
	// Port defaults to 5432.
	Port int
	// Name is the database, default gateway; User defaults to gateway.
	Name, User string
	Password   secret.String
	// SSLMode is libpq's: disable, prefer (default), require, verify-ca, verify-full.
	SSLMode string
	// RootCert, Cert and Key are PEM files: whom to believe, and who we are.
	RootCert, Cert, Key string

	// MaxConns bounds the connections, default 4.
	MaxConns int
	// StatementTimeout bounds one statement, default 30 s.
	StatementTimeout time.Duration
}

// Open returns the configured store without touching its tables. A PostgreSQL
// server need not be up: every call connects when it can. A SQLite file that
// cannot be opened is an error.
func Open(ctx context.Context, c Config) (Store, error) {
	switch c.Backend {
	case BackendPostgres:
		return OpenPostgres(ctx, c.Postgres)
	case BackendSQLite:
		return OpenSQLite(ctx, c.SQLitePath)
	case BackendD1:
		return OpenD1(c.D1)
	}
	return nil, fmt.Errorf("store backend %q: allowed are %s, %s and %s", c.Backend, BackendPostgres, BackendSQLite, BackendD1)
}
