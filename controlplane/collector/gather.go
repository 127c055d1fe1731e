package collector

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// idleWait bounds one request for the first frame of a batch, and with it how
// long a collector with nothing to do takes to stop.
const idleWait = 500 * time.Millisecond

// maxFetch bounds the frames of one request. A frame has at most some hundred
// events, so a batch can exceed its limit by a few thousand, not more.
const maxFetch = 16

// gather fetches until the batch is full or its time is over. Faults end it
// early: the frames so far are a batch too.
func (c *Collector) gather(ctx context.Context) *batch {
	b := new(batch)
	ok := c.fetch(ctx, b, 1, idleWait)
	end := time.Now().Add(c.opts.BatchWait)
	for ok && !c.full(b) && ctx.Err() == nil {
		left := time.Until(end)
		if left < time.Millisecond {
			break
		}
		ok = c.fetch(ctx, b, c.framesFor(b), left)
	}
	if len(b.frames) > 0 {
		c.tracker.fetched(b)
	}
	return b
}

// full reports whether there is no reason to wait for more: also if nothing
// came at all, when the next batch may as well begin anew.
func (c *Collector) full(b *batch) bool {
	return len(b.frames) == 0 || b.size() >= c.opts.BatchRows || b.bytes >= c.opts.BatchBytes
}

// framesFor guesses from the frames so far how many make the batch full.
func (c *Collector) framesFor(b *batch) int {
	perFrame := max(b.size()/len(b.frames), 1)
	return min(max((c.opts.BatchRows-b.size())/perFrame, 1), maxFetch)
}

// fetch adds up to n frames that arrive within wait. It reports false after a
// fault, having made sure that the stream and the sink are there (again). It
// does not heed the end of ctx while it waits: frames that arrived for a
// request which was given up would be stuck until their acknowledgement is due.
func (c *Collector) fetch(ctx context.Context, b *batch, n int, wait time.Duration) bool {
	err := c.fetchOnce(b, n, wait)
	if err == nil {
		return true
	}
	c.log.WarnContext(ctx, "fetch interrupted", slog.Any("error", err))
	c.tracker.failed("fetch events", err)
	if sleep(ctx, firstPause) == nil {
		// an error only says that ctx is done, which the caller sees itself
		_ = c.retry(ctx, "reach the usage stream", c.connect)
	}
	return false
}

func (c *Collector) fetchOnce(b *batch, n int, wait time.Duration) error {
	msgs, err := c.source.Fetch(n, jetstream.FetchMaxWait(wait))
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	for msg := range msgs.Messages() {
		f, events, poison := c.open(msg)
		b.add(f, events, poison)
	}
	if err := msgs.Error(); err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	return nil
}
