package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/server"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
	"github.com/hybridinference/gateway/shared/metrics"
	"github.com/hybridinference/gateway/shared/run"
)

func serve(ctx context.Context, vars *env.Environment, s *settings.Serve, _ io.Writer) (err error) {
	hangups, stop := env.Hangups()
	defer stop()
	log := s.Log.New(os.Stderr)
	run.LimitMemory()
	defer logs.Stopping(ctx, log)()
	db := s.Database.Config()
	if err := makeDirectory(db); err != nil {
		return err
	}
	// its connections are its own: a slow report must not delay a release
	var requests requestlog.Store // the last one is read
	var erasers []server.Eraser
	for _, one := range s.Dual.Stores(db) {
		opened, openErr := database.Open(ctx, one)
		if openErr != nil {
			return fmt.Errorf("request log: %w", openErr)
		}
		defer func() { err = errors.Join(err, opened.Close()) }()
		requests = requestlog.New(opened)
		erasers = append(erasers, requests)
	}
	if s.KeySecret.Secret.Empty() {
		log.Warn("API_KEY_SECRET is not set: no API keys can be created")
	}
	signer := signer(s, log)
	registry := metrics.NewRegistry(version)
	scraped, err := metrics.Serve(ctx, s.Metrics, metrics.DaemonAddr, registry, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scraped.Close()) }()
	a, err := app.New(ctx, app.Options{
		Signer: signer, Addr: s.Addr(), NATS: s.NATS.Options(), Replicas: s.Streams.Replicas, State: db, LogStore: requests, Erasers: erasers, Files: s.Files.Publish(vars.Lookup, s.Sent), Token: s.Admin.Token,
		Proxies: s.Proxies.List(), TLSCert: string(s.Admin.Listen.Cert), TLSKey: string(s.Admin.Listen.Key), KeySecret: s.KeySecret.Secret, Version: version, Metrics: registry, Log: log,
		Thresholds: s.Alerts.Percentages(), Webhook: s.Alerts.Webhook(), Console: s.Console.Options(),
	})
	if err != nil {
		return err
	}
	log.Info("listening", slog.String("addr", a.Addr()), slog.String("version", version))
	defer vars.Follow(ctx, hangups, s, log, func(why string) { a.Reload(ctx, why) })()
	return a.Run(ctx)
}

// signer returns what signs releases. A daemon that has nowhere to keep a key
// goes on without: nodes take unsigned releases until they are told a key.
func signer(s *settings.Serve, log *slog.Logger) *bus.Signer {
	signer, err := s.Signing.Signer(s.Database.SQLite.StateDir)
	if err != nil {
		log.Warn("releases are not signed: RELEASE_SIGNING_KEY is not set, and STATE_DIR cannot store a key", slog.String("error", err.Error()))
		return nil
	}
	log.Info("releases are signed", slog.String("public_key", signer.Public()))
	return signer
}

// signingKey prints a new pair of keys.
func signingKey(_ context.Context, _ *env.Environment, _ *struct{}, out io.Writer) error {
	private, public := bus.NewSigningKey()
	_, err := fmt.Fprintf(out, "RELEASE_SIGNING_KEY=%s\nRELEASE_PUBLIC_KEY=%s\n", private.Reveal(), public)
	return err
}
