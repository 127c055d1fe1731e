package collector

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// Pauses between attempts: short at first, since most faults are a restart or
// a failover, then rare enough not to hinder the recovery.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
	// remind is how often a fault that persists is logged again.
	remind = time.Minute
)

// retry calls fn until it succeeds. It gives up, with fn's error, when the data
// is at fault, or with ctx's when ctx is done.
func (c *Collector) retry(ctx context.Context, what string, fn func(context.Context) error) error {
	var began, told time.Time
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := fn(ctx)
		if err == nil || errors.Is(err, requestlog.ErrRejected) {
			c.recovered(what, began)
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		now := time.Now()
		if began.IsZero() {
			began = now
		}
		if now.Sub(told) >= remind {
			told = now
			c.log.WarnContext(ctx, "waiting", slog.String("to", what), slog.Any("error", err))
		}
		c.tracker.failed(what, err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (c *Collector) recovered(what string, began time.Time) {
	c.tracker.recovered()
	if began.IsZero() {
		return
	}
	c.log.Info("retry succeeded", slog.String("to", what), slog.Duration("after", time.Since(began)))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
