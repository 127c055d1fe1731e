package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/controlplane/sinks"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
	"github.com/hybridinference/gateway/shared/metrics"
	group "github.com/hybridinference/gateway/shared/run"
	"github.com/hybridinference/gateway/shared/tracing"
)

// collect feeds the database and, for dual writing, D1.
func collect(ctx context.Context, vars *env.Environment, s *settings.Collect, _ io.Writer) (err error) {
	hangups, stop := env.Hangups()
	defer stop()
	log := s.Log.New(os.Stderr)
	group.LimitMemory()
	defer logs.Stopping(ctx, log)()
	db := s.Database.Config()
	if err := makeDirectory(db); err != nil {
		return err
	}
	nats := s.NATS.Options()
	nats.Role, nats.Name, nats.Log = bus.RoleCollector, strings.ToLower(rand.Text()[:8]), log // there may be several
	conn, err := bus.Connect(nats)
	if err != nil {
		return err
	}
	defer conn.Close()
	spans, err := tracing.Start(ctx, &s.Tracing, tracing.Process{Service: "gateway-collector", Version: version, Instance: nats.Name, Log: log})
	if err != nil {
		return err
	}
	defer spans.Stop(context.WithoutCancel(ctx))
	all, err := sinks.Open(ctx, sinks.Options{NATS: conn, Databases: s.Dual.Stores(db), Retention: s.Retention.Spans(), Version: version, Tracing: spans, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	registry := metrics.NewRegistry(version)
	registry.MustRegister(all.Metrics())
	scraped, err := metrics.Serve(ctx, s.Metrics, metrics.CollectorAddr, registry, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scraped.Close()) }()
	var actors group.Group
	all.AddTo(&actors)
	if s.Health.Addr != "" {
		actors.Add("health", func(ctx context.Context) error { return serveHealth(ctx, s.Health.Addr, all) })
	}
	// a collector has nothing that can change while it runs; what has changed is logged
	defer vars.Follow(ctx, hangups, s, log, func(string) {})()
	return actors.Run(ctx)
}
