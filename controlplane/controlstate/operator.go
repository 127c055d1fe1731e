package controlstate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Operator is a person, or a program, with a token of the admin API.
type Operator struct {
	ID, Name, Role string
	// Hash is SHA-256 of the token in hex; the token itself is not kept.
	Hash    string
	Created time.Time
	// Expires and Revoked are zero for never.
	Expires, Revoked time.Time
}

// Operators lists all operators by name, revoked ones included.
func (s *State) Operators(ctx context.Context) ([]Operator, error) {
	list, err := s.operators(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	return list, nil
}

// Operator returns the operator with that id or name, ErrNotFound without one.
func (s *State) Operator(ctx context.Context, id string) (Operator, error) {
	if checkText("operator", id) != nil {
		return Operator{}, fmt.Errorf("operator %q: %w", id, ErrNotFound)
	}
	return s.oneOperator(ctx, fmt.Sprintf("operator %q", id), "WHERE id = $1 OR name = $1", id)
}

// OperatorByHash returns the operator whose token has that hash, ErrNotFound
// without one. It may be revoked or have expired.
func (s *State) OperatorByHash(ctx context.Context, hash string) (Operator, error) {
	return s.oneOperator(ctx, "operator", "WHERE hash = $1", hash)
}

func (s *State) oneOperator(ctx context.Context, what, where string, args ...any) (Operator, error) {
	list, err := s.operators(ctx, where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Operator{}, fmt.Errorf("%s: %w", what, err)
	}
	return list[0], nil
}

func (s *State) operators(ctx context.Context, where string, args ...any) (list []Operator, err error) {
	query := "SELECT id, name, role, hash, created, expires, revoked FROM control_operators " + where + " ORDER BY name"
	err = s.read(ctx, database.SQL(query, args...), func(r database.Row) error {
		var o Operator
		var created, expires, revoked int64
		if err := r.Scan(&o.ID, &o.Name, &o.Role, &o.Hash, &created, &expires, &revoked); err != nil {
			return err
		}
		o.Created, o.Expires, o.Revoked = moment(created), moment(expires), moment(revoked)
		list = append(list, o)
		return nil
	})
	return list, err
}

// CreateOperator stores a new operator and records the audit entry. It gives
// ErrExists when the name is taken, also by one who was revoked.
func (s *State) CreateOperator(ctx context.Context, o Operator, audit Entry) error {
	err := errors.Join(checkText("name", o.Name, o.ID, o.Role, o.Hash), audit.check())
	if err == nil {
		_, err = s.write(ctx, []database.Statement{
			database.SQL("INSERT INTO control_operators (id, name, role, hash, created, expires, revoked) VALUES ($1, $2, $3, $4, $5, $6, 0)",
				o.ID, o.Name, o.Role, o.Hash, seconds(o.Created), seconds(o.Expires)),
			audit.insert(),
		})
	}
	if errors.Is(err, database.ErrConstraint) {
		err = ErrExists
	}
	if err != nil {
		return fmt.Errorf("create operator %q: %w", o.Name, err)
	}
	return nil
}

// active + $1 + ")" is true of an operator that is not revoked.
const active = "EXISTS (SELECT 1 FROM control_operators WHERE revoked = 0 AND id = "

// RotateOperator gives an operator another token and records the audit entry. The
// one before ends at once. It gives ErrChanged for one who was revoked.
func (s *State) RotateOperator(ctx context.Context, id, hash string, audit Entry) error {
	return s.changeOperator(ctx, id, audit, database.SQL("UPDATE control_operators SET hash = $2 WHERE id = $1 AND revoked = 0", id, hash))
}

// RevokeOperator ends an operator's token and records the audit entry. It gives
// ErrChanged for one who was revoked before.
func (s *State) RevokeOperator(ctx context.Context, id string, at time.Time, audit Entry) error {
	return s.changeOperator(ctx, id, audit, database.SQL("UPDATE control_operators SET revoked = $2 WHERE id = $1 AND revoked = 0", id, seconds(at)))
}

func (s *State) changeOperator(ctx context.Context, id string, audit Entry, change database.Statement) error {
	err := audit.check()
	if err == nil {
		var changed []int64
		changed, err = s.write(ctx, []database.Statement{audit.insertIf("WHERE "+active+"$7)", id), change})
		if err == nil && changed[1] == 0 {
			err = ErrChanged
		}
	}
	if err != nil {
		return fmt.Errorf("operator %q: %w", id, err)
	}
	return nil
}
