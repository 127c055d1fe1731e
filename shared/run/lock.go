package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrInUse is wrapped by the error of LockDir for a directory that another
// process holds.
var ErrInUse = errors.New("in use by another process")

// LockDir makes a directory and keeps other processes out of it, until unlock
// or the end of this one: two would write over each other.
func LockDir(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		}
		holder, _ := os.ReadFile(path) // for the message only
		err = fmt.Errorf("%s is %w (%s): stop it, or give this one a directory of its own", dir, ErrInUse, strings.TrimSpace(string(holder)))
		return nil, errors.Join(err, f.Close())
	}
	err = f.Truncate(0)
	if _, writeErr := f.WriteAt([]byte(fmt.Sprintln(os.Getpid())), 0); err != nil || writeErr != nil {
		return nil, errors.Join(err, writeErr, f.Close())
	}
	return f.Close, nil // which unlocks
}
