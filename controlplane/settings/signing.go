package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/secret"
)

// Signing is what releases are signed with.
type Signing struct {
	Key secret.String `env:"RELEASE_SIGNING_KEY" help:"private key that signs releases and key tables, the same for all daemons; generated in STATE_DIR if not set"`
}

// Check implements env.Checker.
func (s *Signing) Check(problem func(format string, args ...any)) {
	if _, err := s.signer(); err != nil {
		problem("RELEASE_SIGNING_KEY %s", err)
	}
}

func (s *Signing) signer() (*bus.Signer, error) {
	if s.Key.Empty() {
		return nil, nil //nolint:nilnil // a nil Signer is one
	}
	return bus.NewSigner(s.Key)
}

// Signer returns the signer of the key that is set, else of the one in dir,
// which is made at the first start together with a file of its public key.
func (s *Signing) Signer(dir string) (*bus.Signer, error) {
	if !s.Key.Empty() {
		return s.signer()
	}
	path := filepath.Join(dir, signingFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newSigner(dir, path)
	}
	if err != nil {
		return nil, err
	}
	signer, err := bus.NewSigner(secret.New(strings.TrimSpace(string(text))))
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return signer, nil
}

// signingFile has the private key, the same with .pub the public one.
const signingFile = "release_signing_key"

func newSigner(dir, path string) (*bus.Signer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	private, public := bus.NewSigningKey()
	if err := os.WriteFile(path+".pub", []byte(public+"\n"), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, []byte(private.Reveal()+"\n"), 0o600); err != nil {
		return nil, err
	}
	return bus.NewSigner(private)
}
