package collector

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/wire"
)

const purgeEvery = time.Second

// purgeLoop removes what every sink has from the stream. All collectors do it:
// a purge that comes second finds nothing.
func (c *Collector) purgeLoop(ctx context.Context) {
	for sleep(ctx, purgeEvery) == nil {
		if err := c.purge(ctx); err != nil && ctx.Err() == nil {
			c.log.DebugContext(ctx, "failed to purge the stream", slog.Any("error", err))
		}
	}
}

func (c *Collector) purge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream, err := c.js.Stream(ctx, wire.UsageStream)
	if err != nil {
		return fmt.Errorf("look up stream: %w", err)
	}
	floor, err := c.ackFloor(ctx, stream)
	if err != nil {
		return err
	}
	upTo := min(floor+1, purgeLimit(stream.CachedInfo().State, c.opts.KeepBytes))
	if upTo <= stream.CachedInfo().State.FirstSeq {
		return nil
	}
	if err := stream.Purge(ctx, jetstream.WithPurgeSequence(upTo)); err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	return nil
}

// ackFloor returns the last message up to which every sink has acknowledged
// everything, 0 if a sink has not begun.
func (c *Collector) ackFloor(ctx context.Context, stream jetstream.Stream) (uint64, error) {
	var floor uint64
	sinks := 0
	list := stream.ListConsumers(ctx)
	for info := range list.Info() {
		if !strings.HasPrefix(info.Name, wire.SinkPrefix) {
			continue
		}
		if sinks++; sinks == 1 || info.AckFloor.Stream < floor {
			floor = info.AckFloor.Stream
		}
		if info.Name == wire.SinkPrefix+c.opts.Name {
			c.tracker.update(func(s *Status) { s.Waiting = info.NumPending })
		}
	}
	if err := list.Err(); err != nil {
		return 0, fmt.Errorf("list sinks: %w", err)
	}
	return floor, nil
}

// purgeLimit returns the first message that must stay for about keep bytes to
// stay.
func purgeLimit(s jetstream.StreamState, keep int64) uint64 {
	if keep <= 0 || s.Msgs == 0 {
		return s.LastSeq + 1
	}
	perMsg := max(s.Bytes/s.Msgs, 1)
	stay := uint64(keep) / perMsg
	if stay >= s.Msgs {
		return s.FirstSeq
	}
	return s.LastSeq + 1 - stay
}
