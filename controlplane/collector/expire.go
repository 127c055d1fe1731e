package collector

import (
	"context"
	"log/slog"
	"time"
)

// expireEvery is how often rows that are too old are looked for.
const expireEvery = time.Hour

// expireLoop removes rows that are older than they are to be kept. All
// collectors do it: the second finds nothing.
func (c *Collector) expireLoop(ctx context.Context) {
	if c.opts.Retention == 0 {
		return
	}
	for {
		gone, err := c.opts.Store.Expire(ctx, time.Now().Add(-c.opts.Retention))
		switch {
		case err != nil && ctx.Err() == nil:
			c.log.WarnContext(ctx, "failed to delete expired rows; retrying in an hour", slog.Any("error", err))
		case gone > 0:
			c.log.InfoContext(ctx, "expired rows deleted", slog.Int64("rows", gone))
		}
		if sleep(ctx, expireEvery) != nil {
			return
		}
	}
}
