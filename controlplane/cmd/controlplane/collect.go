package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
	group "github.com/hybridinference/gateway/shared/run"
)

func readCollect(r *env.Reader) runner {
	logging := logs.Read(r)
	nats := bus.Read(r)
	nats.Role, nats.Name = bus.RoleCollector, strings.ToLower(rand.Text()[:8]) // there may be several
	db := readDatabase(r)
	dual, retention := settings.DualWrite(r, db), settings.Retention(r)
	health := settings.CollectHealth(r)
	return func(ctx context.Context, _ io.Writer) error {
		nats.Log = logging.New(os.Stderr)
		defer logs.Stopping(ctx, nats.Log)()
		return collect(ctx, db, dual, retention, health, nats)
	}
}

// collect feeds the database and, for dual writing, D1 beside it: two
// collectors that know nothing of each other, so that neither waits for the
// other. The nodes are told what the first has committed.
func collect(ctx context.Context, db requestlog.Config, dual bool, retention time.Duration, health string, nats bus.Options) (err error) {
	if err := makeDirectory(db); err != nil {
		return err
	}
	conn, err := bus.Connect(nats)
	if err != nil {
		return err
	}
	defer conn.Close()
	sinks := []requestlog.Config{db}
	if dual {
		sinks = append(sinks, settings.Second(db))
	}
	var all group.Group
	var collectors []*collector.Collector
	for i, sink := range sinks {
		requests, failed := requestlog.Open(ctx, sink)
		if failed != nil {
			return fmt.Errorf("request log: %w", failed)
		}
		defer func() { err = errors.Join(err, requests.Close()) }()
		o := collector.Options{NATS: conn, Store: requests, Name: sink.Backend, Primary: i == 0, Retention: retention, Logger: nats.Log}
		if sink.Backend == requestlog.BackendD1 {
			// few and large requests: Cloudflare counts them, and takes 2 MB
			o.BatchRows, o.BatchBytes, o.BatchWait, o.Parallel = 2000, 900<<10, time.Second, 2
		}
		c, err := collector.New(o)
		if err != nil {
			return err
		}
		nats.Log.Info("collecting", slog.String("store", sink.Backend), slog.Bool("primary", i == 0), slog.String("version", version))
		all.Add("collector "+sink.Backend, c.Run)
		collectors = append(collectors, c)
	}
	if health != "" {
		all.Add("health", func(ctx context.Context) error { return serveHealth(ctx, health, collectors) })
	}
	return all.Run(ctx)
}
