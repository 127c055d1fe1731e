package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/state"
	"github.com/hybridinference/gateway/controlplane/store"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
)

func readCollect(r *env.Reader) runner {
	logging := logs.Read(r)
	url, creds := readNATS(r)
	db := readDatabase(r)
	return func(ctx context.Context, _ io.Writer) error {
		return collect(ctx, db, bus.Options{URL: url, Creds: creds, Name: "collector", Log: logging.New(os.Stderr)})
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

func readMigrate(r *env.Reader) runner {
	db := readDatabase(r)
	return func(ctx context.Context, out io.Writer) error { return migrate(ctx, db, out) }
}

func migrate(ctx context.Context, db store.Config, out io.Writer) (err error) {
	if err := makeDirectory(db); err != nil {
		return err
	}
	requests, err := store.Open(ctx, db)
	if err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	defer func() { err = errors.Join(err, requests.Close()) }()
	if err := requests.Migrate(ctx); err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	control, err := state.Open(ctx, db) // which migrates
	if err != nil {
		return err
	}
	if err := control.Close(); err != nil {
		return fmt.Errorf("control state: %w", err)
	}
	_, err = fmt.Fprintln(out, "the tables of the request log and the control state are up to date")
	return err
}
