package controlstate

import (
	"context"
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
	row, err := k.check(audit)
	if err != nil {
		return fmt.Errorf("create key %q: %w", k.ID, err)
	}
	_, err = s.write(ctx, []database.Statement{
		k.insert("VALUES ("+keyValues+")", row),
		database.SQL(bumpKeys),
		audit.insert(),
	})
	if errors.Is(err, database.ErrConstraint) {
		err = s.refused(ctx, k.Team)
	}
	if err != nil {
		return fmt.Errorf("create key %q: %w", k.ID, err)
	}
	return nil
}

// UpdateKey changes Name, User, Role, Models, Limits, Team, Priority, Disabled and Expires of the
// key with k.ID and records the audit entry; k's other fields are ignored. was
// is the key as the caller read it. It gives ErrNotFound or ErrRevoked when
// there is no such key to change, and ErrChanged when its limits or its team
// are not those of was any more.
func (s *State) UpdateKey(ctx context.Context, was, k Key, audit Entry) error {
	const update = "UPDATE control_keys SET name = $2, user_id = $3, role = $4, models = $5, expires = $6, limits = $7, team = " + teamValue8 + ", disabled = $9, updated = $10, priority = $11 WHERE revoked = 0 AND id = $1"
	stored, err := s.Key(ctx, k.ID)
	if err != nil {
		return fmt.Errorf("update %w", err)
	}
	k.Hash, k.Prefix, k.Revoked = stored.Hash, stored.Prefix, time.Time{}
	row, err := k.check(audit)
	if err != nil {
		return fmt.Errorf("update key %q: %w", k.ID, err)
	}
	before, err := writeLimits(was.Limits)
	if err != nil {
		return err
	}
	done, err := s.changeKey(ctx, k.ID, audit, &liveAs{before, was.Team}, database.SQL(update, k.ID, k.Name, k.User, k.Role, row.models, seconds(k.Expires), row.limits, k.Team, flag(k.Disabled), time.Now().Unix(), k.Priority))
	switch {
	case errors.Is(err, database.ErrConstraint):
		err = ErrNoTeam
	case err == nil && !done && stored.Revoked.IsZero():
		err = ErrChanged
	case err == nil && !done:
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
	if _, err := s.changeKey(ctx, id, audit, nil, database.SQL(revoke, id, time.Now().Unix())); err != nil {
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
	row, err := fresh.check(audit)
	if err != nil {
		return fmt.Errorf("rotate key %q: %w", old, err)
	}
	if _, err := s.Key(ctx, old); err != nil {
		return fmt.Errorf("rotate %w", err)
	}
	if fresh.Created.IsZero() {
		fresh.Created = time.Now()
	}
	add := fresh.insert("SELECT "+keyValues+" WHERE "+live+"$14)", row)
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
// none, and returns how many are new: a hash that already exists, even
// revoked, stays as it is.
func (s *State) ImportKeys(ctx context.Context, list []Key, audit Entry) (added int, err error) {
	batch := make([]database.Statement, 0, len(list)+2)
	for i := range list {
		k := &list[i]
		row, err := k.check(audit)
		if err != nil {
			return 0, fmt.Errorf("import key %q: %w", k.ID, err)
		}
		batch = append(batch, k.insert("VALUES ("+keyValues+") ON CONFLICT (hash) DO NOTHING", row))
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
	CAST($8 AS BIGINT), CAST($9 AS BIGINT), 0, CAST($10 AS TEXT), ` + teamValue11 + `, CAST($12 AS BIGINT), 0, CAST($13 AS BIGINT)`

// A team's id as a value, NULL - which the column refuses - if there is no such
// team. SQL names the parameter twice, so that its number is written out.
const (
	teamValue8  = `CASE WHEN CAST($8 AS TEXT) = '' OR EXISTS (SELECT 1 FROM control_teams WHERE control_teams.id = $8) THEN CAST($8 AS TEXT) END`
	teamValue11 = `CASE WHEN CAST($11 AS TEXT) = '' OR EXISTS (SELECT 1 FROM control_teams WHERE control_teams.id = $11) THEN CAST($11 AS TEXT) END`
)

// refused finds out why a new key violated a constraint.
func (s *State) refused(ctx context.Context, team string) error {
	if team == "" {
		return ErrExists
	}
	if _, err := s.Team(ctx, team); errors.Is(err, ErrNotFound) {
		return ErrNoTeam
	}
	return ErrExists
}

// insert adds the key, from values or under a condition.
func (k *Key) insert(source string, row keyRow) database.Statement {
	return database.SQL("INSERT INTO control_keys ("+keyColumns+") "+source,
		k.ID, k.Hash, k.Prefix, k.Name, k.User, k.Role, row.models, seconds(k.Created), seconds(k.Expires), row.limits, k.Team, flag(k.Disabled), k.Priority)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// liveAs is a further condition of a change: the key's limits, as the column
// has them, and its team.
type liveAs struct{ limits, team string }

// changeKey reports false, and has recorded nothing, when there is no such key
// as it is to be, or it is revoked. The change comes last: the others look at
// the key before it.
func (s *State) changeKey(ctx context.Context, id string, audit Entry, as *liveAs, change database.Statement) (done bool, err error) {
	record, bump := audit.insertIf("WHERE "+live+"$7)", id), database.SQL(bumpKeys+" AND "+live+"$1)", id)
	if as != nil {
		record = audit.insertIf("WHERE "+live+"$7 AND limits = $8 AND team = $9)", id, as.limits, as.team)
		bump = database.SQL(bumpKeys+" AND "+live+"$1 AND limits = $2 AND team = $3)", id, as.limits, as.team)
		n := len(change.Args)
		change.SQL += fmt.Sprintf(" AND limits = $%d AND team = $%d", n+1, n+2)
		change.Args = append(change.Args, as.limits, as.team)
	}
	changed, err := s.write(ctx, []database.Statement{record, bump, change})
	return err == nil && changed[2] == 1, err
}

// keyRow is what of a Key the columns hold in another form.
type keyRow struct{ models, limits string }

func (k *Key) check(audit Entry) (row keyRow, err error) {
	if k.ID == "" || k.Hash == "" {
		return row, fmt.Errorf("%w: key without id or hash", ErrInvalid)
	}
	if !k.Revoked.IsZero() {
		return row, fmt.Errorf("%w: key that is revoked from the start", ErrInvalid)
	}
	err = errors.Join(checkText("id", k.ID), checkText("hash", k.Hash), checkText("prefix", k.Prefix), checkText("name", k.Name),
		checkText("user", k.User), checkText("role", k.Role), checkText("team", k.Team), checkText("model", k.Models...), audit.check())
	if err != nil {
		return row, err
	}
	if row.models, err = writeList(k.Models); err != nil {
		return row, err
	}
	row.limits, err = writeLimits(k.Limits)
	return row, err
}
