package controlstate_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/wire"
)

var created = time.Unix(1767225600, 0).UTC()

func newKey(id string) controlstate.Key {
	return controlstate.Key{
		ID: id, Hash: "hash-" + id, Prefix: "sk-" + id, Name: "name of " + id, User: "user-" + id, Role: "free", Created: created,
	}
}

func create(t *testing.T, s *controlstate.State, k controlstate.Key) {
	t.Helper()
	e := entry("key.create")
	e.Target = k.ID
	if err := s.CreateKey(t.Context(), k, e); err != nil {
		t.Fatal(err)
	}
}

func checkTable(t *testing.T, s *controlstate.State, version uint64, want ...wire.Key) {
	t.Helper()
	table, err := s.KeyTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &wire.KeyTable{V: wire.Version, Epoch: s.Epoch(), Version: version, Keys: append([]wire.Key{}, want...)}
	for i := range table.Keys {
		if len(table.Keys[i].Models) == 0 {
			table.Keys[i].Models = nil
		}
	}
	if !reflect.DeepEqual(table, w) {
		t.Errorf("key table %+v, want %+v", table, w)
	}
	h, err := s.Heads(t.Context())
	if err != nil || h.Keys != version {
		t.Errorf("heads %+v, error %v; want version %d", h, err, version)
	}
}

func wireKey(k controlstate.Key) wire.Key {
	w := wire.Key{ID: k.ID, Hash: k.Hash, Name: k.Name, User: k.User, Role: k.Role, Models: k.Models}
	if !k.Expires.IsZero() {
		w.Expires = k.Expires.Unix()
	}
	return w
}

func TestKeys(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		a, b, c := newKey("a"), newKey("b"), newKey("c")
		b.Models, b.Expires, b.Created = []string{"m1", "m2"}, time.Unix(4102444800, 0).UTC(), created.Add(time.Hour)
		c.Expires = created.Add(time.Second) // long ago
		for _, k := range []controlstate.Key{b, a, c} {
			create(t, s, k)
		}
		for _, k := range []controlstate.Key{a, b, c} {
			got, err := s.Key(t.Context(), k.ID)
			if len(got.Models) == 0 {
				got.Models = nil
			}
			if err != nil || !reflect.DeepEqual(got, k) {
				t.Errorf("key %+v, error %v; want %+v", got, err, k)
			}
		}
		list, err := s.Keys(t.Context(), controlstate.MaxPage, "")
		if err != nil || len(list) != 3 || list[0].ID != "b" || list[1].ID != "a" || list[2].ID != "c" {
			t.Errorf("keys %+v, error %v; want b, a, c", list, err)
		}
		checkTable(t, s, 3, wireKey(a), wireKey(b))
	})
}

func TestCreateKeyTwice(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		a := newKey("a")
		create(t, s, a)
		sameID, sameHash := newKey("a"), newKey("b")
		sameID.Hash, sameHash.Hash = "other", a.Hash
		for _, k := range []controlstate.Key{a, sameID, sameHash} {
			if err := s.CreateKey(t.Context(), k, entry("key.create")); !errors.Is(err, controlstate.ErrExists) {
				t.Errorf("%s with hash %s: error %v, want %v", k.ID, k.Hash, err, controlstate.ErrExists)
			}
		}
		checkTable(t, s, 1, wireKey(a))
		if n := db.Int(t, "SELECT count(*) FROM control_audit"); n != 1 {
			t.Errorf("%d audit entries, want 1", n)
		}
	})
}

func TestRevokeKey(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		a, b := newKey("a"), newKey("b")
		create(t, s, a)
		create(t, s, b)
		before := time.Now().Truncate(time.Second)
		k, err := s.RevokeKey(t.Context(), "a", entry("key.revoke"))
		if err != nil || k.ID != "a" || k.Revoked.Before(before) {
			t.Errorf("key %+v, error %v; want a revoked at %v", k, err, before)
		}
		checkTable(t, s, 3, wireKey(b))
		// again: done already, nothing happens
		db.Query(t, "UPDATE control_keys SET revoked = 1767225600 WHERE id = 'a'")
		k, err = s.RevokeKey(t.Context(), "a", entry("key.revoke"))
		if err != nil || !k.Revoked.Equal(created) {
			t.Errorf("key %+v, error %v; want the first revocation", k, err)
		}
		if _, err := s.RevokeKey(t.Context(), "none", entry("key.revoke")); !errors.Is(err, controlstate.ErrNotFound) {
			t.Errorf("error %v, want %v", err, controlstate.ErrNotFound)
		}
		checkTable(t, s, 3, wireKey(b))
		if n := db.Int(t, "SELECT count(*) FROM control_audit"); n != 3 {
			t.Errorf("%d audit entries, want 3", n)
		}
	})
}

func TestUpdateKey(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		a := newKey("a")
		create(t, s, a)
		change := controlstate.Key{
			ID: "a", Name: "new name", User: "new user", Role: "pro", Models: []string{"m"}, Expires: time.Unix(4102444800, 0).UTC(),
		}
		if err := s.UpdateKey(t.Context(), change, change, entry("key.update")); err != nil {
			t.Fatal(err)
		}
		want := change
		want.Hash, want.Prefix, want.Created = a.Hash, a.Prefix, a.Created
		got, err := s.Key(t.Context(), "a")
		if got.Updated.IsZero() {
			t.Error("the time of the change is not stored")
		}
		if want.Updated = got.Updated; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("key %+v, error %v; want %+v", got, err, want)
		}
		checkTable(t, s, 2, wireKey(want))
		if err := s.UpdateKey(t.Context(), controlstate.Key{}, controlstate.Key{ID: "none"}, entry("key.update")); !errors.Is(err, controlstate.ErrNotFound) {
			t.Errorf("error %v, want %v", err, controlstate.ErrNotFound)
		}
		if _, err := s.RevokeKey(t.Context(), "a", entry("key.revoke")); err != nil {
			t.Fatal(err)
		}
		if err := s.UpdateKey(t.Context(), change, change, entry("key.update")); !errors.Is(err, controlstate.ErrRevoked) {
			t.Errorf("error %v, want %v", err, controlstate.ErrRevoked)
		}
		checkTable(t, s, 3)
	})
}

func TestKeyRefusesBadInput(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		f := func(name string, spoil func(*controlstate.Key, *controlstate.Entry)) {
			t.Helper()
			k, e := newKey("a"), entry("key.create")
			spoil(&k, &e)
			if err := s.CreateKey(t.Context(), k, e); !errors.Is(err, controlstate.ErrInvalid) {
				t.Errorf("%s: error %v, want %v", name, err, controlstate.ErrInvalid)
			}
		}
		f("no id", func(k *controlstate.Key, _ *controlstate.Entry) { k.ID = "" })
		f("no hash", func(k *controlstate.Key, _ *controlstate.Entry) { k.Hash = "" })
		f("revoked", func(k *controlstate.Key, _ *controlstate.Entry) { k.Revoked = created })
		f("NUL", func(k *controlstate.Key, _ *controlstate.Entry) { k.Name = "\x00" })
		f("model", func(k *controlstate.Key, _ *controlstate.Entry) { k.Models = []string{"ok", "\xc3"} })
		f("no action", func(_ *controlstate.Key, e *controlstate.Entry) { e.Action = "" })
		checkTable(t, s, 0)
		if _, err := s.Key(t.Context(), "a\x00"); !errors.Is(err, controlstate.ErrNotFound) {
			t.Errorf("error %v, want %v", err, controlstate.ErrNotFound)
		}
		if _, err := s.RevokeKey(t.Context(), "\xff", entry("key.revoke")); !errors.Is(err, controlstate.ErrNotFound) {
			t.Errorf("error %v, want %v", err, controlstate.ErrNotFound)
		}
	})
}
