package controlstate

import (
	"context"
	"fmt"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Files returns the digest that the last Commit with one recorded: it tells
// whether the configuration files have changed since. 0 is none.
func (s *State) Files(ctx context.Context) (digest int64, err error) {
	const query = "SELECT value FROM control_meta WHERE name = 'files'"
	err = s.read(ctx, database.SQL(query), func(r database.Row) error { return r.Scan(&digest) })
	if err != nil {
		return 0, fmt.Errorf("read digest of the files: %w", err)
	}
	return digest, nil
}

// recordFiles keeps the digest of the files that the release was made from.
func (c *Commit) recordFiles() []database.Statement {
	const upsert = `INSERT INTO control_meta (name, value) VALUES ('files', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	if c.Files == 0 {
		return nil
	}
	return []database.Statement{database.SQL(upsert, c.Files)}
}
