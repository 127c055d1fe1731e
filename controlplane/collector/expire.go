package collector

import (
	"context"
	"log/slog"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// expireEvery is how often what is too old, or came too late, is looked for.
const expireEvery = time.Hour

// Retention is how long rows of the log, contents and roll-ups are kept, 0 for
// ever.
type Retention struct{ Rows, Contents, Rollups time.Duration }

func (r Retention) cutoffs(now time.Time) requestlog.Cutoffs {
	before := func(age time.Duration) time.Time {
		if age == 0 {
			return time.Time{}
		}
		return now.Add(-age)
	}
	return requestlog.Cutoffs{Rows: before(r.Rows), Contents: before(r.Contents), Rollups: before(r.Rollups)}
}

// expireLoop removes what is older than it is to be kept, and events that have
// arrived after their user or key was erased, and sums up past days. All
// collectors do it: the second finds nothing to do.
func (c *Collector) expireLoop(ctx context.Context) {
	for {
		c.expire(ctx)
		if sleep(ctx, expireEvery) != nil {
			return
		}
	}
}

func (c *Collector) expire(ctx context.Context) {
	if c.opts.Retention != (Retention{}) {
		gone, err := c.opts.Store.Expire(ctx, c.opts.Retention.cutoffs(time.Now()))
		c.report(ctx, "expired", gone, err)
	}
	late, err := c.opts.Store.EraseLate(ctx)
	c.report(ctx, "late, of erased users and keys", late, err)
	if err := c.opts.Store.SumUp(ctx, time.Now()); err != nil && ctx.Err() == nil {
		c.log.WarnContext(ctx, "failed to sum up past days; retrying in an hour", slog.Any("error", err))
	}
}

func (c *Collector) report(ctx context.Context, what string, rows int64, err error) {
	switch {
	case err != nil && ctx.Err() == nil:
		c.log.WarnContext(ctx, "failed to delete rows; retrying in an hour", slog.Any("error", err))
	case rows > 0:
		c.log.InfoContext(ctx, "rows deleted", slog.String("what", what), slog.Int64("rows", rows))
	}
}
