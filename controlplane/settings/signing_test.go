package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
)

// The key is made once and kept; one that is set wins; one that is none stops the start.
func TestTheSigningKeyIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	var s settings.Signing
	first, err := s.Signer(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Signer(dir)
	if err != nil || again.Public() != first.Public() {
		t.Errorf("the second start has another key: %v", err)
	}
	public, err := os.ReadFile(filepath.Join(dir, "release_signing_key.pub"))
	if err != nil || strings.TrimSpace(string(public)) != first.Public() {
		t.Errorf("public key %q: %v", public, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "release_signing_key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("private key: %v", err)
	}
	private, want := bus.NewSigningKey()
	if err := env.Parse(&s, nil, lookup("RELEASE_SIGNING_KEY="+private.Reveal())); err != nil {
		t.Fatal(err)
	}
	if own, err := s.Signer(dir); err != nil || own.Public() != want {
		t.Errorf("the key that is set does not win: %v", err)
	}
	refused(t, new(settings.Signing), []string{"RELEASE_SIGNING_KEY is not a private key"}, "RELEASE_SIGNING_KEY=abc")
	if err := os.WriteFile(filepath.Join(dir, "release_signing_key"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := new(settings.Signing).Signer(dir); err == nil {
		t.Error("a damaged key was taken")
	}
}
