package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/controlplane/nodes"
)

// keyWait is how long a change of keys waits for the nodes when the caller does
// not say: a new key then works by the time its owner tries it.
const keyWait = 500 * time.Millisecond

// modelIDs are the models that a key can be limited to.
func (s *Server) modelIDs() []string {
	var ids []string
	if current := s.o.Publisher.Current(); current != nil {
		for i := range current.Snapshot.Models {
			ids = append(ids, current.Snapshot.Models[i].ID)
		}
	}
	return ids
}

// forKeys returns the database for operations that hash keys.
func (s *Server) forKeys() (*controlstate.State, error) {
	if s.o.KeySecret.Empty() {
		return nil, problemf(http.StatusServiceUnavailable, "API_KEY_SECRET is not set: no node could verify the key")
	}
	return s.o.Publisher.State()
}

func (s *Server) createKey(ctx context.Context, in adminapi.KeyCreation) (adminapi.NewKey, error) {
	var none adminapi.NewKey
	spec, err := keys.Spec{Name: in.Name, User: in.User, Role: in.Role, Models: in.Models, Expires: in.Expires}.Check(time.Now(), s.modelIDs())
	if err != nil {
		return none, badRequest("%s", err)
	}
	db, err := s.forKeys()
	if err != nil {
		return none, err
	}
	limits, err := s.mergeLimits(nil, in.Limits, "")
	if err != nil {
		return none, err
	}
	team, err := teamID(ctx, db, in.Team)
	if err != nil {
		return none, err
	}
	fresh := keys.Generate(s.o.KeySecret)
	k := controlstate.Key{
		Team: team, Limits: limits, Priority: in.Priority,
		ID: s.newKeyID(in.Idempotency), Hash: fresh.Hash, Prefix: fresh.Prefix, Name: spec.Name, User: spec.User, Role: spec.Role, Models: spec.Models,
		Created: time.Now().UTC().Truncate(time.Second), Expires: spec.Expires,
	}
	if err := db.CreateKey(lasting(ctx), k, keyEntry(in.KeyChange, "key.create", k.ID)); err != nil {
		return none, madeBefore(err, k.ID)
	}
	return adminapi.NewKey{Plaintext: fresh.Plaintext.Reveal(), Key: showKey(&k), Nodes: s.keyRollout(ctx, db, in.KeyChange)}, nil
}

// newKeyID is the id of a key to be made: always the same under one
// Idempotency-Key, so that a request that is sent again makes no second key.
func (s *Server) newKeyID(in adminapi.Idempotency) string {
	if in.IdempotencyKey == "" {
		return keys.NewID()
	}
	return keys.IDFor(s.o.KeySecret, in.IdempotencyKey)
}

// madeBefore explains a conflict that only an Idempotency-Key can bring about.
func madeBefore(err error, id string) error {
	if !errors.Is(err, controlstate.ErrExists) {
		return err
	}
	p := problemf(http.StatusConflict, "a key was already created with this Idempotency-Key: %s; its text was shown only then", id)
	p.metadata = map[string]any{"id": id}
	return p
}

// maxOverlap is how long an old key may live beside the new one.
const maxOverlap = 90 * 24 * time.Hour

func (s *Server) rotateKey(ctx context.Context, in adminapi.KeyRotation) (adminapi.RotatedKey, error) {
	var none adminapi.RotatedKey
	now := time.Now()
	overlap, err := keys.ParseSpan(cmp.Or(in.Overlap, "24h"), now)
	if err != nil || overlap < 0 || overlap > maxOverlap {
		return none, badRequest("overlap must be a duration from 0s to 90d such as 24h, got %q", in.Overlap)
	}
	db, err := s.forKeys()
	if err != nil {
		return none, err
	}
	old, err := db.Key(ctx, in.ID)
	if err != nil {
		return none, err
	}
	fresh := keys.Generate(s.o.KeySecret)
	k := old
	k.ID, k.Hash, k.Prefix, k.Created, k.Revoked = s.newKeyID(in.Idempotency), fresh.Hash, fresh.Prefix, now.UTC().Truncate(time.Second), time.Time{}
	if err := db.RotateKey(lasting(ctx), old.ID, k, now.Add(overlap), keyEntry(in.KeyChange, "key.rotate", old.ID+" "+k.ID)); err != nil {
		return none, madeBefore(err, k.ID)
	}
	if old, err = db.Key(ctx, old.ID); err != nil {
		return none, err
	}
	made := adminapi.NewKey{Plaintext: fresh.Plaintext.Reveal(), Key: showKey(&k), Nodes: s.keyRollout(ctx, db, in.KeyChange)}
	return adminapi.RotatedKey{NewKey: made, Replaces: showKey(&old)}, nil
}

func keyEntry(in adminapi.KeyChange, action, target string) controlstate.Entry {
	return entry(in.ByAuthor, in.Reason, action, target)
}

// keyRollout publishes the key table and waits for the nodes. What fails here
// is made up for within a second.
func (s *Server) keyRollout(ctx context.Context, db *controlstate.State, in adminapi.KeyChange) []adminapi.NodeResult {
	s.o.Publisher.Kick()
	heads, err := db.Heads(ctx)
	if err != nil {
		return nil
	}
	// a daemon that has just started waits for nodes to announce themselves
	return s.wait(ctx, nodes.Want{Epoch: db.Epoch(), Keys: heads.Keys}, in.WaitOr(keyWait+s.o.Nodes.Unsettled()))
}

func (s *Server) updateKey(ctx context.Context, in adminapi.KeyPatch) (adminapi.UpdatedKey, error) {
	var none adminapi.UpdatedKey
	db, err := s.o.Publisher.State()
	if err != nil {
		return none, err
	}
	k, err := db.Key(ctx, in.ID)
	if err != nil {
		return none, err
	}
	spec := keys.Spec{Name: or(in.Name, k.Name), User: or(in.User, k.User), Role: or(in.Role, k.Role), Models: or(in.Models, nil), Expires: or(in.Expires, "")}
	checked, err := spec.Check(time.Now(), s.modelIDs())
	if err != nil {
		return none, badRequest("%s", err)
	}
	was := k
	k.Name, k.User, k.Role = checked.Name, checked.User, checked.Role
	if in.Models != nil { // what it is limited to already may have gone since
		k.Models = checked.Models
	}
	if in.Expires != nil {
		k.Expires = checked.Expires
	}
	if k.Limits, err = s.mergeLimits(k.Limits, in.Limits, ""); err != nil {
		return none, err
	}
	k.Priority = or(in.Priority, k.Priority)
	if in.Team != nil {
		if k.Team, err = teamID(ctx, db, *in.Team); err != nil {
			return none, err
		}
	}
	action := "key.update"
	if k.Disabled = or(in.Disabled, k.Disabled); k.Disabled != was.Disabled {
		action = map[bool]string{true: "key.disable", false: "key.enable"}[k.Disabled]
	}
	if err := db.UpdateKey(lasting(ctx), was, k, keyEntry(in.KeyChange, action, k.ID)); err != nil {
		return none, err
	}
	return adminapi.UpdatedKey{Key: showKey(&k), Nodes: s.keyRollout(ctx, db, in.KeyChange)}, nil
}

func or[T any](given *T, def T) T {
	if given != nil {
		return *given
	}
	return def
}

func (s *Server) revokeKey(ctx context.Context, in adminapi.KeyRevocation) (adminapi.RevokedKey, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return adminapi.RevokedKey{}, err
	}
	k, err := db.RevokeKey(lasting(ctx), in.ID, keyEntry(in.KeyChange, "key.revoke", in.ID))
	if err != nil {
		return adminapi.RevokedKey{}, err
	}
	return adminapi.RevokedKey{ID: k.ID, Revoked: k.Revoked, Nodes: s.keyRollout(ctx, db, in.KeyChange)}, nil
}
