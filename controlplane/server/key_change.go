package server

import (
	"context"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/state"
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

func (s *Server) createKey(r *http.Request) (any, error) {
	var in struct {
		Name    string   `json:"name"`
		User    string   `json:"user"`
		Role    string   `json:"role"`
		Models  []string `json:"models"`
		Expires string   `json:"expires"`
		Reason  string   `json:"reason"`
		WaitMS  *int64   `json:"wait_ms"`
	}
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, wait, err := keyChange(r, in.Reason, in.WaitMS)
	if err != nil {
		return nil, err
	}
	if s.o.KeySecret.Empty() {
		return nil, problemf(http.StatusServiceUnavailable, "API_KEY_SECRET is not set here, so that no node could tell the key from others")
	}
	spec, err := keys.Spec{Name: in.Name, User: in.User, Role: in.Role, Models: in.Models, Expires: in.Expires}.Check(time.Now(), s.modelIDs())
	if err != nil {
		return nil, badRequest("%s", err)
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	fresh := keys.Generate(s.o.KeySecret)
	k := state.Key{
		ID: keys.NewID(), Hash: fresh.Hash, Prefix: fresh.Prefix, Name: spec.Name, User: spec.User, Role: spec.Role, Models: spec.Models,
		Created: time.Now().UTC().Truncate(time.Second), Expires: spec.Expires,
	}
	if err := db.CreateKey(lasting(r), k, audit(c, "key.create", k.ID)); err != nil {
		return nil, err
	}
	return created{struct {
		Key string `json:"key"`
		key
		Nodes []nodes.Ack `json:"nodes"`
	}{fresh.Plaintext.Reveal(), showKey(&k), s.keyRollout(r, db, wait)}}, nil
}

// keyChange checks the common fields of changes to keys.
func keyChange(r *http.Request, reason string, waitMS *int64) (publish.Change, time.Duration, error) {
	in := common{Reason: reason, WaitMS: keyWait.Milliseconds()}
	if waitMS != nil {
		in.WaitMS = *waitMS
	}
	c, err := in.change(r)
	return c, time.Duration(in.WaitMS) * time.Millisecond, err
}

// lasting is the context of a change: a caller that gives up does not stop it,
// since nobody could tell what was done.
func lasting(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

func audit(c publish.Change, action, target string) state.Entry {
	return state.Entry{Author: c.Author, Action: action, Target: target, Reason: c.Reason}
}

// keyRollout publishes the key table and waits for the nodes. What fails here
// is made up for within a second.
func (s *Server) keyRollout(r *http.Request, db *state.State, limit time.Duration) []nodes.Ack {
	s.o.Publisher.Kick()
	heads, err := db.Heads(r.Context())
	if err != nil {
		return []nodes.Ack{}
	}
	return s.wait(r, nodes.Want{Epoch: db.Epoch(), Keys: heads.Keys}, limit)
}

func (s *Server) updateKey(r *http.Request) (any, error) {
	var in struct {
		Name    *string   `json:"name"`
		User    *string   `json:"user"`
		Role    *string   `json:"role"`
		Models  *[]string `json:"models"`
		Expires *string   `json:"expires"`
		Reason  string    `json:"reason"`
		WaitMS  *int64    `json:"wait_ms"`
	}
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, wait, err := keyChange(r, in.Reason, in.WaitMS)
	if err != nil {
		return nil, err
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	k, err := db.Key(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	spec := keys.Spec{Name: or(in.Name, k.Name), User: or(in.User, k.User), Role: or(in.Role, k.Role), Models: or(in.Models, nil), Expires: or(in.Expires, "")}
	checked, err := spec.Check(time.Now(), s.modelIDs())
	if err != nil {
		return nil, badRequest("%s", err)
	}
	k.Name, k.User, k.Role = checked.Name, checked.User, checked.Role
	if in.Models != nil { // what it is limited to already may have gone since
		k.Models = checked.Models
	}
	if in.Expires != nil {
		k.Expires = checked.Expires
	}
	if err := db.UpdateKey(lasting(r), k, audit(c, "key.update", k.ID)); err != nil {
		return nil, err
	}
	return struct {
		key
		Nodes []nodes.Ack `json:"nodes"`
	}{showKey(&k), s.keyRollout(r, db, wait)}, nil
}

func or[T any](given *T, def T) T {
	if given != nil {
		return *given
	}
	return def
}

func (s *Server) revokeKey(r *http.Request) (any, error) {
	var in struct {
		Reason string `json:"reason"`
		WaitMS *int64 `json:"wait_ms"`
	}
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, wait, err := keyChange(r, in.Reason, in.WaitMS)
	if err != nil {
		return nil, err
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	k, err := db.RevokeKey(lasting(r), r.PathValue("id"), audit(c, "key.revoke", r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": k.ID, "revoked": k.Revoked, "nodes": s.keyRollout(r, db, wait)}, nil
}
