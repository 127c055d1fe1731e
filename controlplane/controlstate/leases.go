package controlstate

import (
	"context"
	"fmt"

	"github.com/hybridinference/gateway/controlplane/database"
)

// LeasesGranted reports whether NoteLeasesGranted was ever called.
func (s *State) LeasesGranted(ctx context.Context) (granted bool, err error) {
	const query = "SELECT value FROM control_meta WHERE name = 'leases_granted'"
	err = s.read(ctx, database.SQL(query), func(database.Row) error { granted = true; return nil })
	if err != nil {
		return false, fmt.Errorf("read whether leases were granted: %w", err)
	}
	return granted, nil
}

// NoteLeasesGranted records that nodes are granted shares of limits from now on:
// once they are, an empty state in NATS is one that was lost.
func (s *State) NoteLeasesGranted(ctx context.Context) error {
	const insert = "INSERT INTO control_meta (name, value) VALUES ('leases_granted', 1) ON CONFLICT (name) DO NOTHING"
	if _, err := s.write(ctx, []database.Statement{database.SQL(insert)}); err != nil {
		return fmt.Errorf("record that leases are granted: %w", err)
	}
	return nil
}
