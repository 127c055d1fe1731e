package controlstate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Entry is one line of the audit log: who did what to what, and why.
type Entry struct {
	// ID counts up with the log; it is given by the database.
	ID uint64
	// Time is kept to the microsecond; zero means now.
	Time   time.Time
	Author string
	// Action is what was done, such as "weights.set"; it must not be empty.
	Action string
	// Target is what it was done to: a model, a release number, a key's id.
	Target string
	Reason string
	// Detail is what else a reader should know, for example the new weights.
	Detail string
}

// Audit records something that changes nothing else, such as a failed login.
func (s *State) Audit(ctx context.Context, e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	if _, err := s.write(ctx, []database.Statement{e.insert()}); err != nil {
		return fmt.Errorf("record in audit log: %w", err)
	}
	return nil
}

// AuditQuery selects entries.
type AuditQuery struct {
	// Limit is the most that are listed, 1 to MaxPage.
	Limit int
	// Before selects entries with an id below it unless it is 0.
	Before uint64
	// Since and Until are the period: from, and before. Zero is no limit.
	Since, Until time.Time
}

// AuditLog lists the log, newest first.
func (s *State) AuditLog(ctx context.Context, in AuditQuery) ([]Entry, error) {
	const query = `SELECT id, time, author, action, target, reason, detail FROM control_audit
		WHERE id < $1 AND time >= $3 AND time < $4 ORDER BY id DESC LIMIT CAST($2 AS BIGINT)`
	p, err := page(in.Limit, in.Before)
	if err != nil {
		return nil, err
	}
	since, until := int64(0), int64(math.MaxInt64)
	if !in.Since.IsZero() {
		since = in.Since.UnixMicro()
	}
	if !in.Until.IsZero() {
		until = in.Until.UnixMicro()
	}
	p = append(p, since, until)
	var list []Entry
	err = s.read(ctx, database.SQL(query, p...), func(r database.Row) error {
		var e Entry
		var micro int64
		if err := r.Scan(&e.ID, &micro, &e.Author, &e.Action, &e.Target, &e.Reason, &e.Detail); err != nil {
			return err
		}
		e.Time = time.UnixMicro(micro).UTC()
		list = append(list, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return list, nil
}

func (e *Entry) check() error {
	if e.Action == "" {
		return fmt.Errorf("%w: audit entry without an action", ErrInvalid)
	}
	return errors.Join(checkText("author", e.Author), checkText("action", e.Action), checkText("target", e.Target),
		checkText("reason", e.Reason), checkText("detail", e.Detail))
}

func (e *Entry) insert() database.Statement { return e.insertIf("") }

// insertIf adds a condition, whose parameters start at $7.
func (e *Entry) insertIf(condition string, args ...any) database.Statement {
	const insert = `INSERT INTO control_audit (id, time, author, action, target, reason, detail)
		SELECT (SELECT coalesce(max(id), 0) + 1 FROM control_audit), CAST($1 AS BIGINT), CAST($2 AS TEXT),
		CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT) `
	at := e.Time
	if at.IsZero() {
		at = time.Now()
	}
	return database.SQL(insert+condition, append([]any{at.UnixMicro(), e.Author, e.Action, e.Target, e.Reason, e.Detail}, args...)...)
}
