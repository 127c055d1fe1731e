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

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/store"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
)

func readCollect(r *env.Reader) runner {
	logging := logs.Read(r)
	nats := bus.Read(r)
	nats.Role, nats.Name = bus.RoleCollector, strings.ToLower(rand.Text()[:8]) // there may be several
	db := readDatabase(r)
	return func(ctx context.Context, _ io.Writer) error {
		nats.Log = logging.New(os.Stderr)
		defer logs.Stopping(ctx, nats.Log)()
		return collect(ctx, db, nats)
	}
}

func collect(ctx context.Context, db store.Config, nats bus.Options) (err error) {
	if err := makeDirectory(db); err != nil {
		return err
	}
	requests, err := store.Open(ctx, db)
	if err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	defer func() { err = errors.Join(err, requests.Close()) }()
	conn, err := bus.Connect(nats)
	if err != nil {
		return err
	}
	defer conn.Close()
	c, err := collector.New(collector.Options{NATS: conn, Store: requests, Name: db.Backend, Primary: true, Logger: nats.Log})
	if err != nil {
		return err
	}
	nats.Log.Info("collecting", slog.String("store", db.Backend), slog.String("version", version))
	return c.Run(ctx)
}
