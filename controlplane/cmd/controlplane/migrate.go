package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
)

// makeDirectory makes the place for a SQLite file.
func makeDirectory(c database.Config) error {
	if c.Backend != database.BackendSQLite {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.SQLitePath), 0o750); err != nil {
		return fmt.Errorf("directory of the SQLite file: %w", err)
	}
	return nil
}

func migrate(ctx context.Context, _ *env.Environment, s *settings.Migrate, out io.Writer) (err error) {
	c := s.Database.Config()
	if err := makeDirectory(c); err != nil {
		return err
	}
	db, err := database.Open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := requestlog.New(db).Migrate(ctx); err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	control, err := controlstate.Open(ctx, db) // which migrates
	if err != nil {
		return err
	}
	if err := control.Close(); err != nil {
		return fmt.Errorf("control state: %w", err)
	}
	_, err = fmt.Fprintln(out, "the tables of the request log and the control state are migrated")
	return err
}
