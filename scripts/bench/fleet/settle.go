package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Hold stops the collector: in production it is on another machine, on this one
// its bursts would take the processor from what is measured. Events wait in NATS
// until Settle. Hold it for a second at most, and only when all is settled: what
// NATS has sent to a collector that sleeps for longer comes again a minute later.
func (f *Fleet) Hold() {
	if f.collector != nil {
		f.collector.Pause()
	}
}

// settleTime is longer than that minute: better a long run than none.
const settleTime = 75 * time.Second

// Settle lets the collector go on and returns when nothing is left to be done:
// the upstream has no request, and every usage event is in the database.
func (f *Fleet) Settle(ctx context.Context) error {
	if f.collector != nil {
		f.collector.Resume()
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last := "it was not known"
	for {
		left, err := f.unsettled(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("wait until nothing is left to be done: %w: %s", context.Cause(ctx), last)
		}
		if err != nil || left == "" {
			return err
		}
		last = left
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// unsettled says what is still to be done.
func (f *Fleet) unsettled(ctx context.Context) (string, error) {
	c, err := f.Upstream.Counts(ctx)
	if err != nil {
		return "", err
	}
	if c.Total.Open > 0 {
		return fmt.Sprintf("%d requests are open at the upstream", c.Total.Open), nil
	}
	if f.backlog == nil {
		return "", nil
	}
	return f.backlog.left(ctx)
}

// CheckRouting fails if the node has used only some of its endpoints: it would
// not have been measured with routing then.
func (f *Fleet) CheckRouting(ctx context.Context) error {
	if f.backlog == nil {
		return nil
	}
	c, err := f.Upstream.Counts(ctx)
	if err != nil {
		return err
	}
	for _, side := range sides() {
		used := false
		for i := range c.By {
			used = used || strings.HasPrefix(c.By[i].Path, "/"+side+"/")
		}
		if !used {
			return fmt.Errorf("the node never used its endpoint %s: %+v", side, c.By)
		}
	}
	return nil
}
