package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrInUse is wrapped by the error of LockDir for a directory that another
// process holds.
var ErrInUse = errors.New("in use by another process")

// lockPoll is how often a lock that is held is tried again.
const lockPoll = 20 * time.Millisecond

// LockDir makes a directory and keeps other processes out of it until unlock or
// the end of this process: two would overwrite each other's files. While
// another process holds it, LockDir tries again for as long as wait: a process
// that was killed may need a moment until it is gone.
func LockDir(dir string, wait time.Duration) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(wait); ; time.Sleep(lockPoll) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || !time.Now().Before(end) {
			break
		}
	}
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		holder, _ := os.ReadFile(path)
		err = fmt.Errorf("%s is %w (pid %s): stop that process, or use another directory", dir, ErrInUse, strings.TrimSpace(string(holder)))
		return nil, errors.Join(err, f.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	err = f.Truncate(0)
	if _, writeErr := f.WriteAt([]byte(fmt.Sprintln(os.Getpid())), 0); err != nil || writeErr != nil {
		return nil, errors.Join(err, writeErr, f.Close())
	}
	return f.Close, nil // which unlocks
}
