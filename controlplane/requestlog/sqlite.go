package requestlog

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

// SQLite is the request log in one file.
type SQLite struct {
	// SQLite has one writer at a time; waiting in Go for the only connection
	// is cheaper than being told that the file is busy.
	writer *sql.DB
	reader *sql.DB
	insert jsonInsert
}

// OpenSQLite opens or creates the file. Commits are on disk when Insert
// returns (synchronous=FULL).
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	if path == "" {
		return nil, errors.New("open database: the path is empty")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &SQLite{insert: newJSONInsert()}
	if s.writer, err = OpenFile(ctx, path, 1); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if s.reader, err = OpenFile(ctx, path, 4); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), s.writer.Close())
	}
	return s, nil
}

// OpenFile opens or creates an SQLite file as all of the gateway does: with a
// write-ahead log, and commits that are on disk when they return.
func OpenFile(ctx context.Context, path string, conns int) (*sql.DB, error) {
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

const (
	busyTime  = 10 * time.Second
	busyPause = 20 * time.Millisecond
)

// Health reads from the file.
func (s *SQLite) Health(ctx context.Context) error {
	var n int
	if err := s.reader.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// Close closes the file.
func (s *SQLite) Close() error {
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// classifySQLite marks the errors that the data causes.
func classifySQLite(err error) error {
	if failed, ok := errors.AsType[*sqlite.Error](err); ok {
		switch failed.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
			return fmt.Errorf("%w: %w", ErrRejected, err)
		}
	}
	return err
}
