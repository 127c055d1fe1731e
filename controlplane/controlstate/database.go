package controlstate

import (
	"context"
	"errors"
	"fmt"
)

// database runs the package's SQL, which numbers its parameters $1, $2, ...
type database interface {
	// write runs all statements as one transaction, in which nobody else
	// writes, and returns how many rows each of them changed. An error that
	// wraps errConstraint means that a row is there already or a value is
	// missing; after any error nothing has changed.
	write(ctx context.Context, batch []statement) (changed []int64, err error)
	// read calls each for every row of the answer.
	read(ctx context.Context, query statement, each func(row) error) error
	// migrate runs those steps that have not been run, as one transaction.
	migrate(ctx context.Context, steps []step) error
	close() error
}

type statement struct {
	sql  string
	args []any
}

// row is one row of an answer, for the time of the call that gets it.
type row interface {
	Scan(dest ...any) error
}

var (
	errConstraint = errors.New("the database refuses the row")
	errTimeout    = errors.New("the database did not answer in time")
)

func (s *State) write(ctx context.Context, batch []statement) ([]int64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	changed, err := s.db.write(ctx, batch)
	return changed, blame(ctx, err)
}

func (s *State) read(ctx context.Context, query statement, each func(row) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	return blame(ctx, s.db.read(ctx, query, each))
}

func (s *State) migrate(ctx context.Context) error {
	list, err := steps()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	if err := blame(ctx, s.db.migrate(ctx, list)); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// blame says so when it was our own time limit that ended a call: drivers
// speak of a cancelled operation or a failed read.
func blame(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return fmt.Errorf("%w: %w", errTimeout, err)
	}
	return err
}
