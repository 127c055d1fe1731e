package controlstate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Session is a sign-in to the console.
type Session struct {
	// Hash is SHA-256 of the cookie in hex; the cookie itself is not kept.
	Hash string
	// Method is how the person signed in.
	Method string
	// Operator is the id of the operator whose token it was, "" without one.
	Operator string
	// Name and Role are the operator's, if there is one.
	Name, Role string
	// Credential is what the session depends on. For an operator it is the hash of
	// their token, and Session compares it; for others the caller does.
	Credential string
	// Seen is when the session was last used.
	Created, Seen, Expires time.Time
}

// CreateSession stores a sign-in, records the audit entry, and removes sessions
// that have expired or were not used since unused.
func (s *State) CreateSession(ctx context.Context, n Session, unused time.Time, audit Entry) error {
	err := errors.Join(checkText("session", n.Hash, n.Method, n.Operator, n.Name, n.Role, n.Credential), audit.check())
	if err == nil {
		_, err = s.write(ctx, []database.Statement{
			database.SQL("DELETE FROM control_sessions WHERE expires <= $1 OR seen <= $2", seconds(n.Created), seconds(unused)),
			database.SQL(`INSERT INTO control_sessions (hash, method, operator, name, role, credential, created, seen, expires)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				n.Hash, n.Method, n.Operator, n.Name, n.Role, n.Credential, seconds(n.Created), seconds(n.Seen), seconds(n.Expires)),
			audit.insert(),
		})
	}
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	return nil
}

// sessionColumns are sessions with the operator as they are now; $1 is the time.
const sessionColumns = `SELECT s.hash, s.method, s.operator, coalesce(o.name, s.name), coalesce(o.role, s.role), s.credential, s.created, s.seen, s.expires
	FROM control_sessions s LEFT JOIN control_operators o
		ON o.id = s.operator AND o.hash = s.credential AND o.revoked = 0 AND (o.expires = 0 OR o.expires > $1)`

func scanSession(r database.Row) (n Session, err error) {
	var created, seen, expires int64
	err = r.Scan(&n.Hash, &n.Method, &n.Operator, &n.Name, &n.Role, &n.Credential, &created, &seen, &expires)
	n.Created, n.Seen, n.Expires = moment(created), moment(seen), moment(expires)
	return n, err
}

// Session returns the session with that hash. It gives ErrNotFound if there is
// none, if it expired before now or was not used since unused, and if the
// operator's token was replaced, revoked or has expired.
func (s *State) Session(ctx context.Context, hash string, now, unused time.Time) (n Session, err error) {
	const query = sessionColumns + " WHERE s.hash = $3 AND s.expires > $1 AND s.seen > $2 AND (s.operator = '' OR o.id IS NOT NULL)"
	found := false
	err = s.read(ctx, database.SQL(query, seconds(now), seconds(unused), hash), func(r database.Row) (err error) {
		found = true
		n, err = scanSession(r)
		return err
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return Session{}, fmt.Errorf("session: %w", err)
	}
	return n, nil
}

// SessionSeen records that a session was used.
func (s *State) SessionSeen(ctx context.Context, hash string, at time.Time) error {
	const update = "UPDATE control_sessions SET seen = $2 WHERE hash = $1 AND seen < $2"
	if _, err := s.write(ctx, []database.Statement{database.SQL(update, hash, seconds(at))}); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

// EndSession removes a session and records the audit entry. It changes nothing
// if there is no such session.
func (s *State) EndSession(ctx context.Context, hash string, audit Entry) error {
	err := audit.check()
	if err == nil {
		_, err = s.write(ctx, []database.Statement{
			audit.insertIf("WHERE EXISTS (SELECT 1 FROM control_sessions WHERE hash = $7)", hash),
			database.SQL("DELETE FROM control_sessions WHERE hash = $1", hash),
		})
	}
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}
