package controlstate

import (
	"context"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Sessions lists the sessions that have not ended, as Session would return them,
// the latest first. It leaves to the caller what only the caller can compare: the
// credentials of sessions without an operator.
func (s *State) Sessions(ctx context.Context, now, unused time.Time) (list []Session, err error) {
	const query = sessionColumns + " WHERE s.expires > $1 AND s.seen > $2 AND (s.operator = '' OR o.id IS NOT NULL) ORDER BY s.created DESC, s.hash"
	err = s.read(ctx, database.SQL(query, seconds(now), seconds(unused)), func(r database.Row) error {
		n, err := scanSession(r)
		list = append(list, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}
