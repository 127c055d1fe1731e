package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
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
		return nil, noKeySecret()
	}
	spec, err := keys.Spec{Name: in.Name, User: in.User, Role: in.Role, Models: in.Models, Expires: in.Expires}.Check(time.Now(), s.modelIDs())
	if err != nil {
		return nil, badRequest("%s", err)
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	id, err := s.newKeyID(r)
	if err != nil {
		return nil, err
	}
	fresh := keys.Generate(s.o.KeySecret)
	k := controlstate.Key{
		ID: id, Hash: fresh.Hash, Prefix: fresh.Prefix, Name: spec.Name, User: spec.User, Role: spec.Role, Models: spec.Models,
		Created: time.Now().UTC().Truncate(time.Second), Expires: spec.Expires,
	}
	if err := db.CreateKey(lasting(r), k, audit(c, "key.create", k.ID)); err != nil {
		return nil, madeBefore(err, id)
	}
	return created{newKey{fresh.Plaintext.Reveal(), showKey(&k), s.keyRollout(r, db, wait)}}, nil
}

// newKey is a key on the one occasion when its text is shown.
type newKey struct {
	Key string `json:"key"`
	key
	Nodes []nodes.Ack `json:"nodes"`
}

// newKeyID is the id of a key to be made: always the same under one
// Idempotency-Key, so that a request that is sent again makes no second key.
func (s *Server) newKeyID(r *http.Request) (string, error) {
	given := r.Header.Get("Idempotency-Key")
	if given == "" {
		return keys.NewID(), nil
	}
	if err := plain("header Idempotency-Key", given, maxAuthor); err != nil {
		return "", err
	}
	return keys.IDFor(s.o.KeySecret, given), nil
}

// madeBefore explains a conflict that only an Idempotency-Key can bring about.
func madeBefore(err error, id string) error {
	if !errors.Is(err, controlstate.ErrExists) {
		return err
	}
	p := problemf(http.StatusConflict, "a key was made under this Idempotency-Key before: %s; its text was shown then, and only then", id)
	p.metadata = map[string]any{"id": id}
	return p
}

// maxOverlap is how long an old key may live beside the new one.
const maxOverlap = 90 * 24 * time.Hour

func (s *Server) rotateKey(r *http.Request) (any, error) {
	var in struct {
		Overlap string `json:"overlap"`
		Reason  string `json:"reason"`
		WaitMS  *int64 `json:"wait_ms"`
	}
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, wait, err := keyChange(r, in.Reason, in.WaitMS)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	overlap, err := keys.ParseSpan(cmp.Or(in.Overlap, "24h"), now)
	if err != nil || overlap < 0 || overlap > maxOverlap {
		return nil, badRequest("overlap must be a span from 0s to 90d such as 24h, got %q", in.Overlap)
	}
	if s.o.KeySecret.Empty() {
		return nil, noKeySecret()
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	old, err := db.Key(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	id, err := s.newKeyID(r)
	if err != nil {
		return nil, err
	}
	fresh := keys.Generate(s.o.KeySecret)
	k := old
	k.ID, k.Hash, k.Prefix, k.Created, k.Revoked = id, fresh.Hash, fresh.Prefix, now.UTC().Truncate(time.Second), time.Time{}
	if err := db.RotateKey(lasting(r), old.ID, k, now.Add(overlap), audit(c, "key.rotate", old.ID+" "+k.ID)); err != nil {
		return nil, madeBefore(err, id)
	}
	if old, err = db.Key(r.Context(), old.ID); err != nil {
		return nil, err
	}
	return created{struct {
		newKey
		Replaces key `json:"replaces"`
	}{newKey{fresh.Plaintext.Reveal(), showKey(&k), s.keyRollout(r, db, wait)}, showKey(&old)}}, nil
}

func noKeySecret() error {
	return problemf(http.StatusServiceUnavailable, "API_KEY_SECRET is not set here, so that no node could tell the key from others")
}

// maxImport is how many keys one request may bring.
const maxImport = 5000

func (s *Server) importKeys(r *http.Request) (any, error) {
	var in struct {
		Keys []struct {
			Hash    string   `json:"hash"`
			Prefix  string   `json:"prefix"`
			Name    string   `json:"name"`
			User    string   `json:"user"`
			Role    string   `json:"role"`
			Models  []string `json:"models"`
			Expires string   `json:"expires"`
		} `json:"keys"`
		Reason string `json:"reason"`
		WaitMS *int64 `json:"wait_ms"`
	}
	if err := read(r, maxFiles, &in); err != nil {
		return nil, err
	}
	c, wait, err := keyChange(r, in.Reason, in.WaitMS)
	if err != nil {
		return nil, err
	}
	if len(in.Keys) == 0 || len(in.Keys) > maxImport {
		return nil, badRequest("keys must be a list of 1 to %d keys, got %d", maxImport, len(in.Keys))
	}
	now, models := time.Now(), s.modelIDs()
	list := make([]controlstate.Key, len(in.Keys))
	var problems []string
	for i, k := range in.Keys {
		spec := keys.Imported{
			Spec: keys.Spec{Name: k.Name, User: k.User, Role: k.Role, Models: k.Models, Expires: k.Expires}, Hash: k.Hash, Prefix: k.Prefix,
		}
		checked, err := spec.Check(now, models)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				problems = append(problems, fmt.Sprintf("keys[%d].%s", i, strings.TrimSuffix(line, "\n")))
			}
			continue
		}
		list[i] = controlstate.Key{
			ID: keys.NewID(), Hash: k.Hash, Prefix: k.Prefix, Name: checked.Name, User: checked.User, Role: checked.Role, Models: checked.Models,
			Created: now.UTC().Truncate(time.Second), Expires: checked.Expires,
		}
	}
	if len(problems) > 0 {
		p := badRequest("%d things are wrong with the keys; none was imported", len(problems))
		p.metadata = map[string]any{"problems": problems}
		return nil, p
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	added, err := db.ImportKeys(lasting(r), list, audit(c, "keys.import", fmt.Sprint(len(list))))
	if err != nil {
		return nil, err
	}
	return map[string]any{"imported": added, "known": len(list) - added, "nodes": s.keyRollout(r, db, wait)}, nil
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

func audit(c publish.Change, action, target string) controlstate.Entry {
	return controlstate.Entry{Author: c.Author, Action: action, Target: target, Reason: c.Reason}
}

// keyRollout publishes the key table and waits for the nodes. What fails here
// is made up for within a second.
func (s *Server) keyRollout(r *http.Request, db *controlstate.State, limit time.Duration) []nodes.Ack {
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
