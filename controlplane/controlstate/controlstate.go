// Package controlstate keeps what the control plane must not forget - releases,
// operators' overrides, API keys and the audit log - in the configured
// database. Whatever NATS holds can be made again from it.
//
// One set of SQL serves PostgreSQL and SQLite, and is kept to what Cloudflare
// D1 can do: every change is one batch of statements that commits completely or not
// at all, and what it depends on is checked by the statements themselves,
// never by a read before.
//
// No call waits longer than five seconds for the database. Errors that wrap
// none of this package's are the database's: the change was not made, unless
// the connection was lost in the very moment of the commit, which the next
// read tells.
package controlstate

import (
	"context"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/hybridinference/gateway/controlplane/database"
)

// State is the control state. Its methods may be called side by side, also by
// several processes on the same database.
type State struct {
	db      database.DB
	timeout time.Duration
	epoch   uint64

	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

// Close releases the State's memory, not the database; nothing may be called
// after it.
func (s *State) Close() error {
	s.decoder.Close()
	return s.encoder.Close()
}

// Epoch is the second in which the state was created. Releases and key tables
// are ordered by it first, so that those of a fresh state supersede all that
// nodes remember of an earlier one.
func (s *State) Epoch() uint64 { return s.epoch }

// Health reports whether the database answers, takes writes and holds the state that was
// opened: not an older or a fresh one, put in its place meanwhile.
func (s *State) Health(ctx context.Context) error {
	if err := s.db.Ping(ctx); err != nil {
		return err
	}
	epoch, err := s.readEpoch(ctx)
	if err == nil && epoch != s.epoch {
		err = fmt.Errorf("the control state was replaced: its epoch is %d, was %d; restart to use it", epoch, s.epoch)
	}
	return err
}

// Heads are the newest versions of what nodes follow.
type Heads struct {
	// Release is the current release's number, 0 when there is none.
	Release uint64
	// Keys is the key table's version, 0 when there never was a key.
	Keys uint64
	// Rollouts grows with each change of a rollout or a canary.
	Rollouts uint64
}

// Heads returns all versions. It is cheap enough to ask every second, which
// is how one daemon learns what another has changed.
func (s *State) Heads(ctx context.Context) (Heads, error) {
	const query = `SELECT (SELECT coalesce(max(number), 0) FROM control_releases),
		(SELECT coalesce(max(value), 0) FROM control_meta WHERE name = 'key_version'),
		(SELECT coalesce(max(value), 0) FROM control_meta WHERE name = 'rollouts')`
	var h Heads
	err := s.read(ctx, database.SQL(query), func(r database.Row) error { return r.Scan(&h.Release, &h.Keys, &h.Rollouts) })
	if err != nil {
		return Heads{}, fmt.Errorf("read versions: %w", err)
	}
	return h, nil
}

// readEpoch returns 0 when the state has none yet.
func (s *State) readEpoch(ctx context.Context) (epoch uint64, err error) {
	const query = "SELECT value FROM control_meta WHERE name = 'epoch'"
	err = s.read(ctx, database.SQL(query), func(r database.Row) error { return r.Scan(&epoch) })
	if err != nil {
		return 0, fmt.Errorf("read epoch: %w", err)
	}
	return epoch, nil
}

// Restored makes now the epoch of a state that was put back from a backup, so
// that its releases and keys supersede the later ones that nodes remember. Open
// states, this one too, keep the epoch that they have read.
func (s *State) Restored(ctx context.Context, now time.Time) error {
	const update = "UPDATE control_meta SET value = $1 WHERE name = 'epoch' AND value < $1"
	if _, err := s.write(ctx, []database.Statement{database.SQL(update, now.Unix())}); err != nil {
		return fmt.Errorf("write epoch: %w", err)
	}
	return nil
}

// startEpoch makes now the epoch of a state that has none.
func (s *State) startEpoch(ctx context.Context, now time.Time) error {
	const insert = "INSERT INTO control_meta (name, value) VALUES ('epoch', $1) ON CONFLICT (name) DO NOTHING"
	if _, err := s.write(ctx, []database.Statement{database.SQL(insert, now.Unix())}); err != nil {
		return fmt.Errorf("write epoch: %w", err)
	}
	return nil
}
