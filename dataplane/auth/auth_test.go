package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/auth"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

const keySecret = "the secret under which keys are hashed"

// table builds a key table as a node does. The key's text is its id.
func table(t testing.TB, keys ...wire.Key) *snapshot.Keys {
	t.Helper()
	w := &wire.KeyTable{Epoch: 1, Version: 1}
	for _, k := range keys {
		mac := hmac.New(sha256.New, []byte(keySecret))
		_, _ = mac.Write([]byte(k.ID))
		k.Hash = hex.EncodeToString(mac.Sum(nil))
		w.Keys = append(w.Keys, k)
	}
	b := snapshot.Builder{}
	s, err := b.Build(nil, w)
	if err != nil {
		t.Fatal(err)
	}
	return s.Keys
}

func TestCheck(t *testing.T) {
	keys := table(t,
		wire.Key{ID: "good", Role: "free"}, wire.Key{ID: "other", Role: "free"},
		wire.Key{ID: "expired", Role: "free", Expires: time.Now().Add(-time.Second).Unix()},
		wire.Key{ID: "valid", Role: "free", Expires: time.Now().Add(time.Hour).Unix()},
		wire.Key{ID: "odd", Role: "a role of the future"})
	a := auth.New(true, secret.New(keySecret))
	f := func(authorization, apiKey, want string, reason auth.Reason) {
		t.Helper()
		key, got := a.Check(keys, []byte(authorization), []byte(apiKey))
		id := ""
		if key != nil {
			id = key.ID
		}
		if id != want || got != reason {
			t.Errorf("Authorization %q, X-API-Key %q: key %q, reason %d; want %q, %d", authorization, apiKey, id, got, want, reason)
		}
	}
	f("Bearer good", "", "good", auth.OK)
	f("bearer good", "", "good", auth.OK)
	f("BEARER   good ", "", "good", auth.OK)
	f("", "good", "good", auth.OK)
	f("Bearer good", "other", "good", auth.OK) // Bearer wins
	f("Basic good", "other", "other", auth.OK)
	f("", "valid", "valid", auth.OK)
	f("", "", "", auth.Missing)
	f("Basic good", "", "", auth.Missing)
	f("Bearer", "", "", auth.Missing)
	f("Bearer  ", "", "", auth.Missing)
	f("good", "", "", auth.Missing)
	f("Bearer wrong", "good", "", auth.Invalid) // what wins is what counts
	f("", "Good", "", auth.Invalid)
	f("", "good ", "", auth.Invalid)
	f("", "expired", "", auth.Invalid)
	if key, _ := a.Check(keys, nil, []byte("odd")); key == nil || key.Role != snapshot.RoleFree {
		t.Errorf("a role that this node does not know gives %+v", key)
	}
}

// Keys that were hashed under another secret are not accepted.
func TestOtherSecret(t *testing.T) {
	a := auth.New(true, secret.New("another secret"))
	if key, reason := a.Check(table(t, wire.Key{ID: "good"}), nil, []byte("good")); key != nil || reason != auth.Invalid {
		t.Errorf("key %v, reason %d", key, reason)
	}
}

func TestAuthOff(t *testing.T) {
	a := auth.New(false, secret.String{})
	keys := table(t)
	key, reason := a.Check(keys, []byte("Bearer anything"), nil)
	if reason != auth.OK || key.Role != snapshot.RoleAdmin || key != keys.Anyone() {
		t.Errorf("key %+v, reason %d", key, reason)
	}
}

func BenchmarkCheck(b *testing.B) {
	keys, a := table(b, wire.Key{ID: "good", Role: "free"}), auth.New(true, secret.New(keySecret))
	header := []byte("Bearer good")
	b.ReportAllocs()
	for b.Loop() {
		if _, reason := a.Check(keys, header, nil); reason != auth.OK {
			b.Fatal(reason)
		}
	}
}
