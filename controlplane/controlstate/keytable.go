package controlstate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// KeyTable returns the keys that are neither revoked nor expired, ordered by
// id, with a version that every change of any key has raised.
func (s *State) KeyTable(ctx context.Context) (*wire.KeyTable, error) {
	// one statement, so that the version is that of the keys
	const query = `SELECT value, coalesce(id, ''), coalesce(hash, ''), coalesce(control_keys.name, ''), coalesce(user_id, ''),
			coalesce(role, ''), coalesce(models, '[]'), coalesce(expires, 0)
		FROM control_meta LEFT JOIN control_keys ON revoked = 0 AND (expires = 0 OR expires > $1)
		WHERE control_meta.name = 'key_version' ORDER BY id`
	t := &wire.KeyTable{V: wire.Version, Epoch: s.epoch, Keys: []wire.Key{}}
	err := s.read(ctx, database.SQL(query, time.Now().Unix()), func(r database.Row) error {
		var k wire.Key
		var models string
		if err := r.Scan(&t.Version, &k.ID, &k.Hash, &k.Name, &k.User, &k.Role, &models, &k.Expires); err != nil {
			return err
		}
		if k.ID == "" { // the row that stands for no keys
			return nil
		}
		if err := json.Unmarshal([]byte(models), &k.Models); err != nil {
			return fmt.Errorf("models of key %q: %w", k.ID, err)
		}
		t.Keys = append(t.Keys, k)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read key table: %w", err)
	}
	return t, nil
}
