// Package collector moves usage events from JetStream into a store: fetch,
// decode, insert, and only after the commit acknowledge.
//
// Delivery is at least once and the store skips what it has, so nothing here
// needs to be remembered across a crash: whatever was not acknowledged comes
// again, to this collector or to any other that runs beside it. An event that
// no store can take goes to the dead-letter stream with the reason. Nothing is
// ever dropped, and a store that is down stops the fetching: the events wait in
// the stream, then in the nodes' spools, not in memory.
package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/tracing"
	"github.com/hybridinference/gateway/shared/wire"
)

// Options are what a collector needs. NATS, Store, Name and Logger are required.
type Options struct {
	NATS  *nats.Conn
	Store requestlog.Store
	// Name is the sink: collectors of the same name share the work, those of
	// different names each get everything. Usually the store's backend.
	Name string
	// Primary collectors tell the nodes what is committed, which frees their
	// spools. One sink is primary.
	Primary bool
	Logger  *slog.Logger

	// A batch is inserted when it has BatchRows events (default 1000) or
	// BatchBytes (default 4 MiB), or BatchWait (default 200 ms) after its
	// first frame came.
	BatchRows  int
	BatchBytes int
	BatchWait  time.Duration
	// Parallel is how many batches may be in progress, default 3: one is gathered
	// while others are inserted. It bounds the memory.
	Parallel int
	// Grace is how long a stopping collector may take to finish the batch in
	// hand, default 10 s.
	Grace time.Duration
	// KeepBytes is how much of the stream stays after every sink has it, for
	// consumers other than the sinks; default 0.
	KeepBytes int64
	// Retention is how long what is in the store stays there.
	Retention Retention
	// Limits size the streams if they have to be made.
	Limits bus.Limits
	// Tracing sends a span for the commit of each event whose request was traced;
	// nil for none.
	Tracing *tracing.Tracing
}

// Collector feeds one sink. Create it with New.
type Collector struct {
	opts    Options
	js      jetstream.JetStream
	log     *slog.Logger
	source  jetstream.Consumer
	decoder *wire.UsageDecoder
	// progress is progressEvery but in tests.
	progress time.Duration
	tracker  tracker
}

// New checks the options; it asks nothing of NATS or the store yet.
func New(o Options) (*Collector, error) {
	if o.NATS == nil || o.Store == nil || o.Name == "" || o.Logger == nil {
		return nil, errors.New("collector: NATS, Store, Name and Logger are required")
	}
	if strings.Trim(o.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return nil, fmt.Errorf("collector: name %q must be a-z, 0-9 and -", o.Name)
	}
	o.BatchRows = cmp.Or(o.BatchRows, 1000)
	o.BatchBytes = cmp.Or(o.BatchBytes, 4<<20)
	o.BatchWait = cmp.Or(o.BatchWait, 200*time.Millisecond)
	o.Parallel = cmp.Or(o.Parallel, 3)
	o.Grace = cmp.Or(o.Grace, 10*time.Second)
	js, err := jetstream.New(o.NATS)
	if err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	return &Collector{opts: o, js: js, log: o.Logger.With(slog.String("sink", o.Name)), decoder: wire.NewUsageDecoder(), progress: progressEvery}, nil
}

// Run collects until ctx is done, then finishes the current batch and returns
// nil. NATS and the database may be down, at the start as well as later: Run
// waits for them. It may be called once.
func (c *Collector) Run(ctx context.Context) error {
	work, finish := graceful(ctx, c.opts.Grace)
	defer finish()
	if err := c.prepare(ctx); err != nil {
		return nil // only the end of ctx ends the attempts
	}
	var running sync.WaitGroup
	running.Go(func() { c.purgeLoop(ctx) })
	running.Go(func() { c.expireLoop(ctx) })
	defer running.Wait()
	hands := make(chan struct{}, c.opts.Parallel)
	for ctx.Err() == nil {
		hands <- struct{}{} // nothing is fetched that could only wait here
		b := c.gather(ctx)
		running.Go(func() {
			c.finish(work, b)
			<-hands
		})
	}
	return nil
}

func (c *Collector) finish(ctx context.Context, b *batch) {
	if len(b.frames) == 0 {
		return
	}
	if err := c.process(ctx, b); err != nil {
		c.log.WarnContext(ctx, "stopped with an unfinished batch; its events remain in the stream",
			slog.Int("events", len(b.events)), slog.Any("error", err))
	}
}

// graceful returns a context that ends the given time after ctx.
func graceful(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, cancel)
	})
	return work, func() {
		stop()
		cancel()
	}
}

// prepare makes the streams, so that the nodes get rid of their events even if
// the database is down, and then the tables.
func (c *Collector) prepare(ctx context.Context) error {
	if err := c.retry(ctx, "reach the usage stream", c.connect); err != nil {
		return err
	}
	return c.retry(ctx, "prepare the database", c.opts.Store.Migrate)
}

// connect makes sure that the streams and the sink are there.
func (c *Collector) connect(ctx context.Context) error {
	if _, err := bus.EnsureUsage(ctx, c.opts.NATS, c.opts.Limits); err != nil {
		return err
	}
	source, err := bus.EnsureSink(ctx, c.js, c.opts.Name)
	if err != nil {
		return err
	}
	c.source = source
	return nil
}
