package controlstate

import (
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/hybridinference/gateway/controlplane/database"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// maxRelease limits what a stored release may unpack to.
const maxRelease = 256 << 20

// Open brings the tables in db up to this program's version and, in a fresh
// database, starts the epoch. It needs the database to be up; a caller that
// wants to wait for it calls again. The caller closes db after the State.
func Open(ctx context.Context, db database.DB) (*State, error) {
	s := &State{db: db, timeout: db.CallTimeout()}
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("open control state: %w", err)
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
