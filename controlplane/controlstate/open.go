package controlstate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

const (
	// maxTimeout bounds every call of a State.
	maxTimeout = 5 * time.Second
	// slowTimeout does so for D1, which may ask to be left alone for a while.
	slowTimeout = 20 * time.Second
)

// maxRelease bounds what a stored release may unpack to.
const maxRelease = 256 << 20

// Config says which database holds the state: the same settings as for the
// request log, whose tables have other names. Postgres.StatementTimeout may
// shorten the five seconds that a call waits at most, not lengthen them. The
// directory of SQLitePath must exist.
type Config = requestlog.Config

// Open connects to the database, brings its tables up to this program's
// version and, in a fresh one, starts the epoch. It needs the database to be
// up; a caller that wants to wait for it calls again.
func Open(ctx context.Context, c Config) (*State, error) {
	s := &State{timeout: maxTimeout}
	var err error
	switch c.Backend {
	case requestlog.BackendPostgres:
		if t := c.Postgres.StatementTimeout; t > 0 && t < maxTimeout {
			s.timeout = t
		}
		s.db, err = openPostgres(ctx, c.Postgres)
	case requestlog.BackendSQLite:
		s.db, err = openSQLite(ctx, c.SQLitePath)
	case requestlog.BackendD1:
		s.timeout = slowTimeout
		s.db, err = openD1(c.D1)
	default:
		err = fmt.Errorf("backend %q: allowed are %s, %s and %s", c.Backend, requestlog.BackendPostgres, requestlog.BackendSQLite, requestlog.BackendD1)
	}
	if err != nil {
		return nil, fmt.Errorf("open control state: %w", err)
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open control state: %w", err), s.db.close())
	}
	return s, nil
}

func (s *State) prepare(ctx context.Context) (err error) {
	if s.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
		return fmt.Errorf("zstd: %w", err)
	}
	if s.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRelease)); err != nil {
		return fmt.Errorf("zstd: %w", err)
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if err := s.startEpoch(ctx, time.Now()); err != nil {
		return err
	}
	s.epoch, err = s.readEpoch(ctx)
	return err
}
