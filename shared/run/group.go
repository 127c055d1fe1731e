package run

import (
	"context"
	"fmt"
)

// Group runs actors until the first of them returns, then cancels the context
// of the others and waits for them. The zero value is ready.
type Group struct{ actors []actor }

type actor struct {
	name string
	fn   func(context.Context) error
}

// Add registers an actor. It must return soon after its context is done.
func (g *Group) Add(name string, fn func(context.Context) error) {
	g.actors = append(g.actors, actor{name, fn})
}

// Run starts all actors and returns when all have ended. Its error is that of
// the actor that ended first, nil when that one ended because ctx was done.
func (g *Group) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type end struct {
		name string
		err  error
	}
	ends := make(chan end, len(g.actors))
	for _, a := range g.actors {
		go func() { ends <- end{a.name, a.fn(ctx)} }()
	}
	var first error
	for i := range g.actors {
		e := <-ends
		if i == 0 && e.err != nil && ctx.Err() == nil {
			first = fmt.Errorf("%s: %w", e.name, e.err)
		}
		cancel()
	}
	return first
}
