package controlstate

import (
	"context"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// MaxPage is the largest limit of a listing.
const MaxPage = 1000

// ReleaseInfo is a release without its content.
type ReleaseInfo struct {
	Number uint64
	Time   time.Time
	Author string
	Reason string
	Hash   string
	// Models is how many models it has.
	Models int
}

// Current returns the newest release, nil when there is none.
func (s *State) Current(ctx context.Context) (*wire.Release, error) {
	r, err := s.release(ctx, database.SQL("SELECT content FROM control_releases ORDER BY number DESC LIMIT 1"))
	if err != nil {
		return nil, fmt.Errorf("read current release: %w", err)
	}
	return r, nil
}

// Release returns a release of the history, ErrNotFound when it is not there.
func (s *State) Release(ctx context.Context, number uint64) (*wire.Release, error) {
	r, err := s.release(ctx, database.SQL("SELECT content FROM control_releases WHERE number = $1", int64(number)))
	if err == nil && r == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("release %d: %w", number, err)
	}
	return r, nil
}

// release returns nil when the query has no answer.
func (s *State) release(ctx context.Context, query database.Statement) (*wire.Release, error) {
	var content *string
	if err := s.read(ctx, query, func(r database.Row) error { return r.Scan(&content) }); err != nil || content == nil {
		return nil, err
	}
	return s.unpack(*content)
}

// Releases lists the history, newest first: at most limit (1 to MaxPage)
// releases, those below number before unless that is 0.
func (s *State) Releases(ctx context.Context, limit int, before uint64) ([]ReleaseInfo, error) {
	const query = `SELECT number, time, author, reason, hash, models FROM control_releases
		WHERE number < $1 ORDER BY number DESC LIMIT CAST($2 AS BIGINT)`
	p, err := page(limit, before)
	if err != nil {
		return nil, err
	}
	var list []ReleaseInfo
	err = s.read(ctx, database.SQL(query, p...), func(r database.Row) error {
		var i ReleaseInfo
		var seconds int64
		if err := r.Scan(&i.Number, &seconds, &i.Author, &i.Reason, &i.Hash, &i.Models); err != nil {
			return err
		}
		i.Time = time.Unix(seconds, 0).UTC()
		list = append(list, i)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list releases: %w", err)
	}
	return list, nil
}
