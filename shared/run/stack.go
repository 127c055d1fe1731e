// Package run starts and stops a process in order: a Stack undoes what was
// set up, last first; a Group runs the parts that live until the first ends.
package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Stack is a list of named cleanups. Push one on the line after a thing
// exists; a failed start and a normal stop then run the same code. The zero
// value is ready. It is not safe for concurrent use.
type Stack struct{ steps []step }

type step struct {
	name string
	fn   func(context.Context) error
}

// Push registers fn to run before everything that was pushed earlier.
func (s *Stack) Push(name string, fn func(context.Context) error) {
	s.steps = append(s.steps, step{name, fn})
}

// Unwind runs all cleanups, last first, each whatever became of the others,
// and empties the stack. The error names each step that failed.
func (s *Stack) Unwind(ctx context.Context) error {
	var errs []error
	for _, step := range slices.Backward(s.steps) {
		if err := step.fn(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", step.name, err))
		}
	}
	s.steps = nil
	return errors.Join(errs...)
}
