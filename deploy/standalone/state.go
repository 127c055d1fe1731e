package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hybridinference/gateway/shared/secret"
)

// lock makes the state directory and keeps a second process out of it: two
// would write over each other.
func lock(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("STATE_DIR: %w", err)
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("STATE_DIR: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path) // for the message only
		err = fmt.Errorf("STATE_DIR %s is in use by another standalone (process %s): stop it, or give this one a directory of its own", dir, strings.TrimSpace(string(holder)))
		return nil, errors.Join(err, f.Close())
	}
	err = f.Truncate(0)
	if _, writeErr := f.WriteAt([]byte(fmt.Sprintln(os.Getpid())), 0); err != nil || writeErr != nil {
		return nil, errors.Join(fmt.Errorf("STATE_DIR: %w", errors.Join(err, writeErr)), f.Close())
	}
	return f.Close, nil // which unlocks
}

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
