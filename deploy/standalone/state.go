package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hybridinference/gateway/shared/secret"
)

// keySecret returns the secret under which API keys are hashed: the one that
// was set, or one of this directory's own, made at the first start.
func keySecret(dir string, set secret.String) (secret.String, error) {
	if !set.Empty() {
		return set, nil
	}
	path := filepath.Join(dir, "api_key_secret")
	b, err := os.ReadFile(path)
	if err == nil && len(b) > 0 {
		return secret.New(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return secret.String{}, fmt.Errorf("API_KEY_SECRET: %w", err)
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	text := base64.RawURLEncoding.EncodeToString(raw[:])
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return secret.String{}, fmt.Errorf("API_KEY_SECRET: %w", err)
	}
	return secret.New(text), nil
}
