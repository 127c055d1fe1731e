package database

import (
	"cmp"
	"path/filepath"
	"strconv"
	"strings"
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

// Dir is the directory of the SQLite file, "" for the other databases.
func (c Config) Dir() string {
	if c.Backend != BackendSQLite {
		return ""
	}
	dir := filepath.Dir(c.SQLitePath)
	if path, err := filepath.Abs(dir); err == nil {
		return path
	}
	return dir
}

// PostgresConfig is the way to a PostgreSQL server or to a pooler in front of one.
type PostgresConfig struct {
	// DSN is a postgres:// URL or key=value list; when set, the fields up to
	// Key are not used.
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

	// MaxConns limits the connections, default 8.
	MaxConns int
	// StatementTimeout limits one statement, default 30 s.
	StatementTimeout time.Duration
}

// connString is what the driver takes.
func (c PostgresConfig) connString() string {
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
