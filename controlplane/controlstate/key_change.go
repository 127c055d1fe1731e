package controlstate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

const (
	bumpKeys = "UPDATE control_meta SET value = value + 1 WHERE name = 'key_version'"
	// live + $n + ")" is true while the key whose id is parameter n can be changed
	live = "EXISTS (SELECT 1 FROM control_keys WHERE revoked = 0 AND id = "
)

// CreateKey stores a new key and records the audit entry. It gives ErrExists
// when the id or the hash is taken. A zero Created means now; Revoked must be zero.
func (s *State) CreateKey(ctx context.Context, k Key, audit Entry) error {
	if k.Created.IsZero() {
		k.Created = time.Now()
	}
	models, err := k.check(audit)
	if err != nil {
		return fmt.Errorf("create key %q: %w", k.ID, err)
	}
	_, err = s.write(ctx, []database.Statement{
		k.insert("VALUES ("+keyValues+")", models),
		database.SQL(bumpKeys),
		audit.insert(),
	})
	if errors.Is(err, database.ErrConstraint) {
		err = ErrExists
	}
	if err != nil {
		return fmt.Errorf("create key %q: %w", k.ID, err)
	}
	return nil
}

// UpdateKey changes Name, User, Role, Models and Expires of the key with k.ID
// and records the audit entry; k's other fields are not looked at. It gives
// ErrNotFound or ErrRevoked when there is no such key to change.
func (s *State) UpdateKey(ctx context.Context, k Key, audit Entry) error {
	const update = "UPDATE control_keys SET name = $2, user_id = $3, role = $4, models = $5, expires = $6 WHERE revoked = 0 AND id = $1"
	stored, err := s.Key(ctx, k.ID)
	if err != nil {
		return fmt.Errorf("update %w", err)
	}
	k.Hash, k.Prefix, k.Revoked = stored.Hash, stored.Prefix, time.Time{}
	models, err := k.check(audit)
	if err != nil {
		return fmt.Errorf("update key %q: %w", k.ID, err)
	}
	done, err := s.changeKey(ctx, k.ID, audit, database.SQL(update, k.ID, k.Name, k.User, k.Role, models, seconds(k.Expires)))
	if err == nil && !done {
		err = ErrRevoked
	}
	if err != nil {
		return fmt.Errorf("update key %q: %w", k.ID, err)
	}
	return nil
}

// RevokeKey ends a key for good, records the audit entry and returns the key.
// One that is revoked already stays as it is, and nothing is recorded. It
// gives ErrNotFound when there is no such key.
func (s *State) RevokeKey(ctx context.Context, id string, audit Entry) (Key, error) {
	const revoke = "UPDATE control_keys SET revoked = $2 WHERE revoked = 0 AND id = $1"
	if err := audit.check(); err != nil {
		return Key{}, fmt.Errorf("revoke key %q: %w", id, err)
	}
	if _, err := s.Key(ctx, id); err != nil {
		return Key{}, fmt.Errorf("revoke %w", err)
	}
	if _, err := s.changeKey(ctx, id, audit, database.SQL(revoke, id, time.Now().Unix())); err != nil {
		return Key{}, fmt.Errorf("revoke key %q: %w", id, err)
	}
	return s.Key(ctx, id)
}

// RotateKey stores a new key in the place of an old one, which ends at until,
// unless it would end earlier, or at once if until has passed. It gives
// ErrNotFound or ErrRevoked when there is no such key to replace, and ErrExists
// when the new one's id or hash is taken.
func (s *State) RotateKey(ctx context.Context, old string, fresh Key, until time.Time, audit Entry) error {
	const end = "UPDATE control_keys SET expires = $2 WHERE (expires = 0 OR expires > $2) AND revoked = 0 AND id = $1"
	const revoke = "UPDATE control_keys SET revoked = $2 WHERE revoked = 0 AND id = $1"
	models, err := fresh.check(audit)
	if err != nil {
		return fmt.Errorf("rotate key %q: %w", old, err)
	}
	if _, err := s.Key(ctx, old); err != nil {
		return fmt.Errorf("rotate %w", err)
	}
	if fresh.Created.IsZero() {
		fresh.Created = time.Now()
	}
	add := fresh.insert("SELECT "+keyValues+" WHERE "+live+"$10)", models)
	add.Args = append(add.Args, old)
	ending := database.SQL(end, old, until.Unix())
	if now := time.Now(); !until.After(now) {
		ending = database.SQL(revoke, old, now.Unix())
	}
	changed, err := s.write(ctx, []database.Statement{
		audit.insertIf("WHERE "+live+"$7)", old),
		database.SQL(bumpKeys+" AND "+live+"$1)", old),
		add, ending,
	})
	switch {
	case errors.Is(err, database.ErrConstraint):
		err = ErrExists
	case err == nil && changed[2] == 0:
		err = ErrRevoked
	}
	if err != nil {
		return fmt.Errorf("rotate key %q: %w", old, err)
	}
	return nil
}

// ImportKeys stores keys whose hashes are known from elsewhere, all of them or
// none, and returns how many are new: a hash that is there already, even
// revoked, stays as it is.
func (s *State) ImportKeys(ctx context.Context, list []Key, audit Entry) (added int, err error) {
	batch := make([]database.Statement, 0, len(list)+2)
	for i := range list {
		k := &list[i]
		models, err := k.check(audit)
		if err != nil {
			return 0, fmt.Errorf("import key %q: %w", k.ID, err)
		}
		batch = append(batch, k.insert("VALUES ("+keyValues+") ON CONFLICT (hash) DO NOTHING", models))
	}
	changed, err := s.write(ctx, append(batch, database.SQL(bumpKeys), audit.insert()))
	if err != nil {
		return 0, fmt.Errorf("import %d keys: %w", len(list), err)
	}
	for _, n := range changed[:len(list)] {
		added += int(n)
	}
	return added, nil
}

// keyValues are the parameters of keyColumns, with types for a SELECT of them.
const keyValues = `CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS TEXT),
	CAST($8 AS BIGINT), CAST($9 AS BIGINT), 0`

// insert adds the key, from values or under a condition.
func (k *Key) insert(source, models string) database.Statement {
	return database.SQL("INSERT INTO control_keys ("+keyColumns+") "+source, k.ID, k.Hash, k.Prefix, k.Name, k.User, k.Role, models, seconds(k.Created), seconds(k.Expires))
}

// changeKey reports false, and has recorded nothing, when there is no such key
// or it is revoked. The change comes last: the others look at the key before it.
func (s *State) changeKey(ctx context.Context, id string, audit Entry, change database.Statement) (done bool, err error) {
	changed, err := s.write(ctx, []database.Statement{
		audit.insertIf("WHERE "+live+"$7)", id),
		database.SQL(bumpKeys+" AND "+live+"$1)", id),
		change,
	})
	return err == nil && changed[2] == 1, err
}

// check returns Models as the column has them.
func (k *Key) check(audit Entry) (models string, err error) {
	if k.ID == "" || k.Hash == "" {
		return "", fmt.Errorf("%w: key without id or hash", ErrInvalid)
	}
	if !k.Revoked.IsZero() {
		return "", fmt.Errorf("%w: key that is revoked from the start", ErrInvalid)
	}
	err = errors.Join(checkText("id", k.ID), checkText("hash", k.Hash), checkText("prefix", k.Prefix), checkText("name", k.Name),
		checkText("user", k.User), checkText("role", k.Role), checkText("model", k.Models...), audit.check())
	if err != nil {
		return "", err
	}
	list, err := json.Marshal(append([]string{}, k.Models...))
	if err != nil {
		return "", fmt.Errorf("models: %w", err)
	}
	return string(list), nil
}
