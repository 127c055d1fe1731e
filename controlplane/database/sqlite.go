package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite is one file, with a write-ahead log and commits that are on disk when
// they return.
type SQLite struct {
	// SQLite has one writer at a time; waiting in Go for the only connection is
	// cheaper than being told that the file is busy.
	writer, reader *sql.DB
	condition      condition
}

const (
	readers   = 4
	busyTime  = 10 * time.Second
	busyPause = 20 * time.Millisecond
)

func openSQLite(ctx context.Context, path string) (*SQLite, error) {
	if path == "" {
		return nil, errors.New("open database: the SQLite file's path is empty")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := new(SQLite)
	if s.writer, err = openFile(ctx, path, 1); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if s.reader, err = openFile(ctx, path, readers); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), s.writer.Close())
	}
	return s, nil
}

func openFile(ctx context.Context, path string, conns int) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"},
		// a transaction that reads first and writes then could otherwise be
		// refused in the middle
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	// The change to a write-ahead log does not wait for others that are at it.
	for deadline := time.Now().Add(busyTime); ; {
		err = db.PingContext(ctx)
		var failed *sqlite.Error
		if !errors.As(err, &failed) || failed.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(deadline) {
			break
		}
		time.Sleep(busyPause)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Backend implements DB.
func (s *SQLite) Backend() string { return BackendSQLite }

// CallTimeout implements DB.
func (s *SQLite) CallTimeout() time.Duration { return callTimeout }

// Close implements DB.
func (s *SQLite) Close() error { return errors.Join(s.reader.Close(), s.writer.Close()) }

// Ping implements DB. The write that it tries is one page of the write-ahead log.
func (s *SQLite) Ping(ctx context.Context) error {
	if s.condition.due(time.Now()) {
		err := s.inTx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "PRAGMA user_version = 0") // which nothing else uses
			return err
		})
		s.condition.tried(classifySQLite(err), time.Now())
	}
	if err := s.condition.now(time.Now()); err != nil {
		return err
	}
	var n int
	if err := s.reader.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// Write implements DB.
func (s *SQLite) Write(ctx context.Context, batch ...Statement) (changed []int64, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		for _, one := range batch {
			result, err := tx.ExecContext(ctx, numbered(one.SQL), one.Args...)
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
	err = classifySQLite(err)
	s.condition.wrote(err, time.Now())
	return changed, err
}

// WriteIdempotent implements DB; no answer of a file is lost.
func (s *SQLite) WriteIdempotent(ctx context.Context, batch ...Statement) ([]int64, error) {
	return s.Write(ctx, batch...)
}

func (s *SQLite) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
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

// Read implements DB.
func (s *SQLite) Read(ctx context.Context, query Statement, each func(Row) error) error {
	rows, err := s.reader.QueryContext(ctx, numbered(query.SQL), query.Args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err is asked below
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := each(sqliteRow{rows, len(columns)}); err != nil {
			return err
		}
	}
	return rows.Err()
}

type sqliteRow struct {
	*sql.Rows
	columns int
}

// Len implements Row.
func (r sqliteRow) Len() int { return r.columns }

// Migrate implements DB. The transaction is the lock.
func (s *SQLite) Migrate(ctx context.Context, m Migrations) error {
	list, err := m.steps()
	if err != nil {
		return err
	}
	if err := s.inTx(ctx, func(tx *sql.Tx) error { return migrateSQLite(ctx, tx, m, list) }); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func migrateSQLite(ctx context.Context, tx *sql.Tx, m Migrations, list []step) error {
	if _, err := tx.ExecContext(ctx, m.create()); err != nil {
		return fmt.Errorf("create %s: %w", m.Table, err)
	}
	var last int
	if err := tx.QueryRowContext(ctx, m.last()).Scan(&last); err != nil {
		return fmt.Errorf("read %s: %w", m.Table, err)
	}
	for _, one := range missing(list, last) {
		if _, err := tx.ExecContext(ctx, one.sql); err != nil {
			return fmt.Errorf("step %d (%s): %w", one.version, one.name, err)
		}
		record := m.record(one)
		if _, err := tx.ExecContext(ctx, numbered(record.SQL), record.Args...); err != nil {
			return fmt.Errorf("record step %d: %w", one.version, err)
		}
	}
	return nil
}

func classifySQLite(err error) error {
	failed, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch failed.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_NOTNULL, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return fmt.Errorf("%w: %w", ErrConstraint, err)
	}
	switch failed.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", ErrRejected, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%w: %w", errUnwritable, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
