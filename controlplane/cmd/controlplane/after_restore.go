package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
)

// afterRestore makes what the database has count after a backup was put back.
func afterRestore(ctx context.Context, _ *env.Environment, s *settings.Migrate, out io.Writer) (err error) {
	db, err := database.Open(ctx, s.Database.Config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	control, err := controlstate.Open(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, control.Close()) }()
	if err := control.Restored(ctx, time.Now()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "the releases and keys of the database are now current, even if nodes have seen later ones; (re)start the daemons")
	return err
}
