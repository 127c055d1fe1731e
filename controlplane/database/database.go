// Package database opens PostgreSQL, SQLite and Cloudflare D1 for the packages
// that keep something in them, runs their transactions, sorts the errors into
// classes and brings the tables up to date. It alone makes connections.
//
// SQL numbers its parameters $1, $2, ... and has no other dollar sign; SQLite
// and D1 get them as ?1, ?2, ...
package database

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// DB is an open database. Its methods may be called concurrently, and by
// several processes on the same database.
type DB interface {
	// Backend is the kind of database, one of the Backend constants.
	Backend() string
	// Migrate runs the steps that have not been run.
	Migrate(ctx context.Context, m Migrations) error
	// Write runs all statements as one transaction and returns how many rows
	// each of them changed. Callers of Write take turns, across processes too:
	// a statement sees everything that was committed before it. After an error
	// nothing has changed, unless the connection was lost during the commit.
	Write(ctx context.Context, batch ...Statement) (changed []int64, err error)
	// WriteIdempotent is Write for statements that may run twice without harm:
	// they are sent again when the answer was lost. In PostgreSQL its callers
	// do not take turns.
	WriteIdempotent(ctx context.Context, batch ...Statement) (changed []int64, err error)
	// Read calls each for every row of the answer.
	Read(ctx context.Context, query Statement, each func(Row) error) error
	// Ping reports whether the database answers, and takes writes: ErrReadOnly,
	// ErrFull. It knows that from the last write; SQLite and D1 are written to by
	// Ping itself, at most every 30 seconds.
	Ping(ctx context.Context) error
	// CallTimeout is how long a small call may take at most.
	CallTimeout() time.Duration
	// Close closes all connections; nothing may be called after it.
	Close() error
}

// Statement is SQL with its parameters.
type Statement struct {
	SQL  string
	Args []any
}

// SQL makes a Statement.
func SQL(text string, args ...any) Statement { return Statement{text, args} }

// Row is one row of an answer, for the time of the call that gets it.
type Row interface {
	// Scan copies the columns in order.
	Scan(dest ...any) error
	// Len is the number of columns.
	Len() int
}

// Classes of errors. All others are the database's or the network's, and worth
// a retry: a lost connection, a shutdown, a deadlock, a table that a migration
// has yet to create.
var (
	// ErrRejected: the data is at fault - a value out of range, a violated
	// constraint. A retry cannot help.
	ErrRejected = errors.New("the database rejects the data")
	// ErrConstraint: a row exists already, or a value is missing. It is also
	// ErrRejected.
	ErrConstraint = fmt.Errorf("%w: a constraint is violated", ErrRejected)
)

// ErrReadOnly is a database that answers and takes no writes.
var ErrReadOnly = errors.New("the database is read-only")

const (
	// callTimeout is CallTimeout for databases that are near.
	callTimeout = 5 * time.Second
	// slowTimeout is D1's, which may ask for a pause.
	slowTimeout = 20 * time.Second
)

// Open returns the configured database without touching its tables. A
// PostgreSQL server need not be up, every call connects when it can; D1 is not
// asked. A SQLite file that cannot be opened is an error.
func Open(ctx context.Context, c Config) (DB, error) {
	switch c.Backend {
	case BackendPostgres:
		return openPostgres(ctx, c.Postgres)
	case BackendSQLite:
		return openSQLite(ctx, c.SQLitePath)
	case BackendD1:
		return openD1(c.D1)
	}
	return nil, fmt.Errorf("database backend %q: must be %s, %s or %s", c.Backend, BackendPostgres, BackendSQLite, BackendD1)
}

// numbered turns $1 into ?1, which SQLite and D1 take by its number.
func numbered(sql string) string { return strings.ReplaceAll(sql, "$", "?") }
