package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
)

// readDatabase takes the settings of the database, which the control state and
// the request log share.
func readDatabase(r *env.Reader) requestlog.Config {
	return settings.Store(r, requestlog.BackendPostgres, settings.StateDir(r, "data"))
}

// makeDirectory makes the place for a SQLite file.
func makeDirectory(c requestlog.Config) error {
	if c.Backend != requestlog.BackendSQLite {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.SQLitePath), 0o750); err != nil {
		return fmt.Errorf("directory of the SQLite file: %w", err)
	}
	return nil
}

func readMigrate(r *env.Reader) runner {
	db := readDatabase(r)
	return func(ctx context.Context, out io.Writer) error { return migrate(ctx, db, out) }
}

func migrate(ctx context.Context, db requestlog.Config, out io.Writer) (err error) {
	if err := makeDirectory(db); err != nil {
		return err
	}
	requests, err := requestlog.Open(ctx, db)
	if err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	defer func() { err = errors.Join(err, requests.Close()) }()
	if err := requests.Migrate(ctx); err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	control, err := controlstate.Open(ctx, db) // which migrates
	if err != nil {
		return err
	}
	if err := control.Close(); err != nil {
		return fmt.Errorf("control state: %w", err)
	}
	_, err = fmt.Fprintln(out, "the tables of the request log and the control state are up to date")
	return err
}
