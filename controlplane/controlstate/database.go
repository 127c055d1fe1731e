package controlstate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hybridinference/gateway/controlplane/database"
)

var errTimeout = errors.New("the database did not answer in time")

func (s *State) write(ctx context.Context, batch []database.Statement) ([]int64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	changed, err := s.db.Write(ctx, batch...)
	return changed, explain(ctx, err)
}

func (s *State) read(ctx context.Context, query database.Statement, each func(database.Row) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	return explain(ctx, s.db.Read(ctx, query, each))
}

func (s *State) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	return explain(ctx, s.db.Migrate(ctx, database.Migrations{Table: "control_migrations", Files: files}))
}

// explain says so when it was our own time limit that ended a call: drivers
// speak of a cancelled operation or a failed read.
func explain(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return fmt.Errorf("%w: %w", errTimeout, err)
	}
	return err
}
