package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Result is what a run did.
type Result struct {
	Requests int64
	Events   int64 // of streams
}

// slack is how much longer than planned a measurement may take before its
// connections time out.
const slack = 30 * time.Second

// Closed keeps conns connections busy for the given time: each sends its next
// request when the answer to the last one is complete. The first failure ends
// the run.
func Closed(ctx context.Context, req Request, conns int, during time.Duration) (Result, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r := closed{req: &req, stop: time.Now().Add(during), limit: during + slack}
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			if err := r.run(ctx); err != nil {
				fail(err)
			}
		})
	}
	wg.Wait()
	return Result{r.requests.Load(), r.events.Load()}, context.Cause(ctx)
}

// closed is a running closed loop.
type closed struct {
	req              *Request
	stop             time.Time
	limit            time.Duration
	requests, events atomic.Int64
}

// run uses one connection until it is time to stop or ctx ends.
func (r *closed) run(ctx context.Context) error {
	c, err := dial(r.req, r.limit)
	if err != nil {
		return err
	}
	defer c.Close()                                          //nolint:errcheck // nothing is left to lose
	defer context.AfterFunc(ctx, func() { _ = c.Close() })() // ends a read that waits
	bytes := r.req.wire()
	for time.Now().Before(r.stop) && ctx.Err() == nil {
		if _, err := c.Write(bytes); err != nil {
			return fmt.Errorf("send a request: %w", err)
		}
		if err := c.answer(&r.events); err != nil {
			return err
		}
		r.requests.Add(1)
	}
	return nil
}
