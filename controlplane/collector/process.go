package collector

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// progressEvery is well below the time after which JetStream would hand an
// unacknowledged frame to someone else.
const progressEvery = 20 * time.Second

// process finishes a batch: unreadable events to the dead letters, the others
// to the store, then receipts and acknowledgements. It fails only when ctx is
// done; the frames are then given back.
func (c *Collector) process(ctx context.Context, b *batch) error {
	start := time.Now()
	stop := c.keepAlive(ctx, b)
	err := c.settle(ctx, b)
	stop()
	if err == nil {
		c.trace(b, start)
		c.sendReceipts(ctx, b)
	}
	c.release(ctx, b, err == nil)
	c.tracker.finished(b, err == nil)
	return err
}

func (c *Collector) settle(ctx context.Context, b *batch) error {
	for i := range b.poison {
		if err := c.deadLetter(ctx, b, &b.poison[i]); err != nil {
			return err
		}
	}
	for events := b.events; len(events) > 0; {
		n := min(len(events), c.opts.BatchRows)
		if err := c.insert(ctx, b, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// insert stores events. Rejected ones are found by halving: a bad row among a
// thousand costs some twenty statements and only itself.
func (c *Collector) insert(ctx context.Context, b *batch, events []event) error {
	rows := make([]*requestlog.Row, len(events))
	for i := range events {
		rows[i] = events[i].row
	}
	fresh := 0
	err := c.retry(ctx, "insert events", func(ctx context.Context) (err error) {
		fresh, err = c.opts.Store.Insert(ctx, rows)
		return err
	})
	switch {
	case err == nil:
		c.tracker.inserted(fresh, len(rows)-fresh)
		return nil
	case !errors.Is(err, requestlog.ErrRejected):
		return err
	case len(events) == 1:
		events[0].letter.reason = err.Error()
		return c.deadLetter(ctx, b, &events[0].letter)
	}
	half := len(events) / 2
	if err := c.insert(ctx, b, events[:half]); err != nil {
		return err
	}
	return c.insert(ctx, b, events[half:])
}

// trace sends the spans of a batch that is committed.
func (c *Collector) trace(b *batch, start time.Time) {
	for i := range b.events {
		c.opts.Tracing.Committed(b.events[i].row.Usage(), c.opts.Name, len(b.events), start)
	}
}

// keepAlive tells JetStream regularly that the frames are still being
// worked on. The returned function ends that.
func (c *Collector) keepAlive(ctx context.Context, b *batch) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		for sleep(ctx, c.progress) == nil {
			for _, f := range b.frames {
				if err := f.msg.InProgress(); err != nil {
					c.log.DebugContext(ctx, "failed to report progress", slog.Any("error", err))
				}
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// release acknowledges the frames, or gives them back to be delivered at once.
// Either message may get lost: the frames then come again, which is harmless.
func (c *Collector) release(ctx context.Context, b *batch, done bool) {
	for _, f := range b.frames {
		send := f.msg.Ack
		if !done {
			send = f.msg.Nak
		}
		if err := send(); err != nil {
			c.log.WarnContext(ctx, "failed to acknowledge a frame; it will be redelivered", slog.Any("error", err))
			return
		}
	}
}
