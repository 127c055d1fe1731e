package keys_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/shared/secret"
)

func TestKeysHaveTheirFormAndHash(t *testing.T) {
	form := regexp.MustCompile(`^hyi-[A-Za-z0-9_-]{43}$`)
	seen := map[string]bool{}
	for range 100 {
		k := keys.Generate(secret.New("s"))
		text := k.Plaintext.Reveal()
		if !form.MatchString(text) || k.Prefix != text[:12] || k.Hash != keys.Hash(secret.New("s"), text) || seen[text] {
			t.Fatalf("key %q, prefix %q, hash %q", text, k.Prefix, k.Hash)
		}
		seen[text] = true
		if strings.Contains(fmt.Sprintf("%+v", k), text) {
			t.Fatal("printing a key shows it")
		}
	}
}

func TestHash(t *testing.T) {
	// printf %s hyi-test | openssl dgst -sha256 -hmac pepper
	const want = "0384dcc0677d2d36ec5ac0e1d3d386e355bebade68ef21f2925ec5f9c6b06064"
	if got := keys.Hash(secret.New("pepper"), "hyi-test"); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestSpecs(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	check := func(s keys.Spec) (keys.Checked, error) { return s.Check(now, []string{"demo", "glm"}) }

	got, err := check(keys.Spec{Name: " ci ", Models: []string{"glm", " ", "glm"}, Expires: "30d"})
	if err != nil || got.Name != "ci" || got.User != "ci" || got.Role != "free" || len(got.Models) != 1 || got.Expires != now.AddDate(0, 0, 30) {
		t.Errorf("got %+v, %v", got, err)
	}
	f := func(s keys.Spec, want ...string) {
		t.Helper()
		_, err := check(s)
		if err == nil {
			t.Errorf("%+v was accepted", s)
			return
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%+v: %v, want %q in it", s, err, part)
			}
		}
	}
	f(keys.Spec{}, "name: is required")
	f(keys.Spec{Name: "x", Role: "root"}, "role: must be one of free, pro, internal, admin")
	f(keys.Spec{Name: "x", Models: []string{"gpt"}}, `model "gpt" not found; available: demo, glm`)
	f(keys.Spec{Name: "a\nb"}, "control characters")
	f(keys.Spec{Name: "x", Role: "root", Expires: "soon"}, "role:", "expires: must be a time")
	f(keys.Spec{Name: "x", Expires: "-1h"}, "not in the future")
	f(keys.Spec{Name: "x", Expires: "2020-01-01T00:00:00Z"}, "not in the future")
}

func TestExpiryForms(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	f := func(text string, want time.Time) {
		t.Helper()
		if got, err := keys.ParseExpiry(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	f("", time.Time{})
	f("never", time.Time{})
	f("720h", now.Add(720*time.Hour))
	f("1d", now.AddDate(0, 0, 1))
	f("2027-01-01T01:00:00+01:00", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
}
