package controlstate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// Key is one API key: all about it but the key itself.
type Key struct {
	ID string
	// Hash is as wire.Key has it.
	Hash string
	// Prefix is the start of the key, for people to recognise it.
	Prefix string
	Name   string
	User   string
	// Role is free, pro, internal or admin, or RoleManagement.
	Role string
	// Models are the only models allowed; empty means all of the role.
	Models []string
	// Limits bound the key alone, Team is the id of its team, "" for that of its user.
	Limits []wire.Limit
	Team   string
	// Priority says whose requests go first in the queues of models: those of the
	// higher one.
	Priority int
	// Disabled keys are not accepted until they are enabled again.
	Disabled bool
	// Updated is when the key was changed, zero for never; UpdateKey sets it.
	Updated time.Time
	// Times are kept to the second. Expires and Revoked are zero for never.
	Created, Expires, Revoked time.Time
}

// RoleManagement is that of keys which only the management API accepts: nodes
// do not know them.
const RoleManagement = "management"

const keyColumns = "id, hash, prefix, name, user_id, role, models, created, expires, revoked, limits, team, disabled, updated, priority"

// Keys lists keys, revoked and expired ones too, newest first: at most limit
// (1 to MaxPage), those after the key with that id unless it is "".
func (s *State) Keys(ctx context.Context, limit int, after string) ([]Key, error) {
	const list = "SELECT " + keyColumns + " FROM control_keys "
	query := database.SQL(list+"ORDER BY created DESC, id LIMIT CAST($1 AS BIGINT)", limit)
	if limit < 1 || limit > MaxPage {
		return nil, fmt.Errorf("list keys: %w: limit %d, must be 1 to %d", ErrInvalid, limit, MaxPage)
	}
	if after != "" {
		last, err := s.Key(ctx, after)
		if err != nil {
			return nil, fmt.Errorf("list keys after %w", err)
		}
		query = database.SQL(list+"WHERE created < $2 OR (created = $2 AND id > $3) ORDER BY created DESC, id LIMIT CAST($1 AS BIGINT)", limit, last.Created.Unix(), after)
	}
	found, err := s.keys(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return found, nil
}

// Key returns the key with that id, ErrNotFound when there is none.
func (s *State) Key(ctx context.Context, id string) (Key, error) {
	if checkText("id", id) != nil {
		return Key{}, fmt.Errorf("key %q: %w", id, ErrNotFound)
	}
	list, err := s.keys(ctx, database.SQL("SELECT "+keyColumns+" FROM control_keys WHERE id = $1", id))
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Key{}, fmt.Errorf("key %q: %w", id, err)
	}
	return list[0], nil
}

// KeyByHash returns the key with that hash, ErrNotFound when there is none.
func (s *State) KeyByHash(ctx context.Context, hash string) (Key, error) {
	if checkText("hash", hash) != nil {
		return Key{}, fmt.Errorf("key: %w", ErrNotFound)
	}
	list, err := s.keys(ctx, database.SQL("SELECT "+keyColumns+" FROM control_keys WHERE hash = $1", hash))
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Key{}, fmt.Errorf("key: %w", err)
	}
	return list[0], nil
}

func (s *State) keys(ctx context.Context, query database.Statement) (list []Key, err error) {
	err = s.read(ctx, query, func(r database.Row) error {
		var k Key
		var models, limits string
		var created, expires, revoked, disabled, updated, priority int64
		if err = r.Scan(&k.ID, &k.Hash, &k.Prefix, &k.Name, &k.User, &k.Role, &models, &created, &expires, &revoked, &limits, &k.Team, &disabled, &updated, &priority); err != nil {
			return err
		}
		if err = json.Unmarshal([]byte(models), &k.Models); err != nil {
			return fmt.Errorf("models of key %q: %w", k.ID, err)
		}
		if k.Limits, err = readLimits(limits); err != nil {
			return fmt.Errorf("key %q: %w", k.ID, err)
		}
		k.Created, k.Expires, k.Revoked, k.Updated, k.Disabled = moment(created), moment(expires), moment(revoked), moment(updated), disabled == 1
		k.Priority = int(priority)
		list = append(list, k)
		return nil
	})
	return list, err
}

// moment and seconds keep the zero time as 0.
func moment(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
