package controlstate

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers tell apart; the messages around them name the thing.
var (
	// ErrNotFound: there is no such release, key or team.
	ErrNotFound = errors.New("not found")
	// ErrExists: a key with that id or hash already exists.
	ErrExists = errors.New("exists already")
	// ErrRevoked: a revoked key cannot be changed.
	ErrRevoked = errors.New("revoked")
	// ErrNoTeam: no team has that id or name.
	ErrNoTeam = errors.New("team not found")
	// ErrChanged: someone else has changed it since the caller read it.
	ErrChanged = errors.New("was changed by somebody else meanwhile")
	// ErrInUse: a team that has members is not deleted.
	ErrInUse = errors.New("has members")
	// ErrInvalid: an argument cannot be stored.
	ErrInvalid = errors.New("not valid")
)

// ConflictError says that someone else has published since the caller looked:
// the current release is not the one before the caller's. Nothing was changed.
type ConflictError struct {
	// Number is the current release, 0 when there is none; the rest is about it.
	Number         uint64
	Author, Reason string
	Time           time.Time
}

// Error names the release that stands and who published it.
func (e *ConflictError) Error() string {
	if e.Number == 0 {
		return "conflict: no release yet"
	}
	return fmt.Sprintf("conflict: release %d was published by %q at %s (reason: %q)",
		e.Number, e.Author, e.Time.UTC().Format(time.RFC3339), e.Reason)
}
