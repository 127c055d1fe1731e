package controlstate

import (
	"context"
	"fmt"
)

// Files returns the digest that the last Commit with one recorded: it tells
// whether the configuration files have changed since. 0 is none.
func (s *State) Files(ctx context.Context) (digest int64, err error) {
	const query = "SELECT value FROM control_meta WHERE name = 'files'"
	err = s.read(ctx, statement{query, nil}, func(r row) error { return r.Scan(&digest) })
	if err != nil {
		return 0, fmt.Errorf("read digest of the files: %w", err)
	}
	return digest, nil
}

// recordFiles keeps the digest of the files that the release was made from.
func (c *Commit) recordFiles() []statement {
	const upsert = `INSERT INTO control_meta (name, value) VALUES ('files', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	if c.Files == 0 {
		return nil
	}
	return []statement{{upsert, []any{c.Files}}}
}
