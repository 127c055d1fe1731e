// Package app is the control plane's daemon as a value: commands and tests
// make one, run it and stop it, several in one process if they like.
package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/alerts"
	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/rollout"
	"github.com/hybridinference/gateway/controlplane/server"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/run"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// stopTime is how long requests in flight may take at shutdown.
	stopTime = 5 * time.Second
	// headerTime and bodyTime bound a request's arrival; answers may wait for nodes.
	headerTime = 10 * time.Second
	bodyTime   = time.Minute
	idleTime   = 2 * time.Minute
)

// App is a daemon. Create it with New, then Run it once.
type App struct {
	o         Options
	conn      *nats.Conn
	listener  net.Listener
	publisher *publish.Publisher
	nodes     *nodes.Table
	api       *server.Server
	cert      *certificate // nil for plain HTTP
	cleanups  run.Stack
	usage     usageWatch
	limits    *limits.Service
	rollouts  *rollout.Engine
	handler   http.Handler // the API, counted
	missing   atomic.Int64 // rows, by the last look at the ledger
}

// New checks the options and binds the address. NATS and the database need
// not be up, but a SQLite file must open.
func New(ctx context.Context, o Options) (*App, error) {
	a := &App{o: o}
	if err := a.setup(ctx); err != nil {
		return nil, errors.Join(err, a.cleanups.Unwind(ctx))
	}
	return a, nil
}

func (a *App) setup(ctx context.Context) (err error) {
	o := &a.o
	if err := o.check(); err != nil {
		return err
	}
	if o.TLSCert != "" {
		if a.cert, err = loadCertificate(o.TLSCert, o.TLSKey, o.Log); err != nil {
			return err
		}
	}
	o.NATS.Role, o.NATS.Name, o.NATS.Log = bus.RoleControlPlane, instance(), o.Log
	a.conn, err = bus.Connect(o.NATS)
	if err != nil {
		return err
	}
	a.cleanups.Push("NATS connection", func(context.Context) error { a.conn.Close(); return nil })
	a.nodes = nodes.New(nodes.Options{Conn: a.conn, Log: o.Log})
	var db database.DB // opened below, before the publisher runs
	a.publisher = publish.New(publish.Options{
		Conn: a.conn, Files: o.Files, Replicas: o.Replicas, Signer: o.Signer, Log: o.Log,
		Open: func(ctx context.Context) (*controlstate.State, error) { return controlstate.Open(ctx, db) },
	})
	a.limits, err = limits.NewService(limits.Options{
		Conn: a.conn, Replicas: o.Replicas, Name: o.NATS.Name, Alone: o.Alone, Grace: o.LimitsGrace, Table: a.publisher.KeyTable, Release: a.publisher.Current, Spent: a.spentBefore,
		Granted: a.leasesGranted, NoteGranted: a.noteLeasesGranted, Log: o.Log,
	})
	if err != nil {
		return err
	}
	a.rollouts = rollout.New(rollout.Options{Publisher: a.publisher, Nodes: a.nodes.List, Log: o.Log})
	a.api, err = server.New(server.Options{
		Publisher: a.publisher, Nodes: a.nodes, Rollouts: a.rollouts, Conn: a.conn, LogStore: o.LogStore, Erasers: o.Erasers, Token: o.Token, Open: o.Open, Proxies: o.Proxies, KeySecret: o.KeySecret,
		Usage: a.problems, Console: o.Console, Dir: o.State.Dir(), Version: o.Version, Log: o.Log,
	})
	if err != nil {
		return err
	}
	o.Metrics.MustRegister(newGauges(a))
	a.handler = instrument(o.Metrics, a.api)
	if db, err = database.Open(ctx, o.State); err != nil {
		return fmt.Errorf("control state: %w", err)
	}
	a.cleanups.Push("database", func(context.Context) error { return db.Close() })
	if a.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", o.Addr); err != nil {
		return fmt.Errorf("admin API: %w: CONTROL_HOST and CONTROL_PORT must be a free address of this machine", err)
	}
	a.cleanups.Push("listener", func(context.Context) error {
		if err := a.listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil // the server has done it
	})
	return nil
}

// Close releases what a daemon holds that never ran; Run has done it.
func (a *App) Close(ctx context.Context) error { return a.cleanups.Unwind(ctx) }

// instance names this process among the daemons that may run side by side.
func instance() string { return strings.ToLower(rand.Text()[:8]) }

// Addr is where the admin API listens.
func (a *App) Addr() string { return a.listener.Addr().String() }

// Handler is the admin API, for a process that serves it at a further address.
func (a *App) Handler() http.Handler { return a.handler }

// Ready is closed once there is a release.
func (a *App) Ready() <-chan struct{} { return a.publisher.Ready() }

// Release returns the current release, nil before the first.
func (a *App) Release() *wire.Release { return a.publisher.Current() }

// Nodes is the table of data-plane nodes.
func (a *App) Nodes() *nodes.Table { return a.nodes }

// Run serves until ctx is done, then finishes what is in flight. It returns an
// error when there is nothing to serve: a broken configuration and no release
// to go on with, which is a config.Problems. The App cannot be used after it.
func (a *App) Run(ctx context.Context) error {
	var all run.Group
	all.Add("publisher", a.publisher.Run)
	all.Add("nodes", a.nodes.Run)
	all.Add("usage streams", a.keepStreams)
	all.Add("ledger", a.checkLedger)
	all.Add("spending", a.tellSpending)
	all.Add("limits", a.limits.Run)
	all.Add("rollouts", a.rollouts.Run)
	if len(a.o.Thresholds) > 0 {
		all.Add("alerts", a.alerts().Run)
	}
	all.Add("admin API", a.serve)
	err := all.Run(ctx)
	return errors.Join(err, a.cleanups.Unwind(context.WithoutCancel(ctx)))
}

// alerts reports limits that are nearly used up.
func (a *App) alerts() *alerts.Watcher {
	return alerts.New(alerts.Options{
		Thresholds: a.o.Thresholds, Webhook: a.o.Webhook, Crossed: a.limits.Crossed, State: a.publisher.State, Table: a.publisher.KeyTable, Conn: a.conn, Log: a.o.Log,
	})
}

func (a *App) serve(ctx context.Context) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv := &http.Server{
		Handler: a.handler, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, IdleTimeout: idleTime,
		BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog:    slog.NewLogLogger(a.o.Log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- a.accept(srv) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	cancel() // those that wait for nodes need not wait on
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer stop()
	if err := srv.Shutdown(last); err != nil {
		return errors.Join(fmt.Errorf("stop: %w", err), srv.Close())
	}
	return nil
}

// accept serves connections, with TLS if there is a certificate.
func (a *App) accept(srv *http.Server) error {
	if a.cert == nil {
		return srv.Serve(a.listener)
	}
	srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.cert.get}
	return srv.ServeTLS(a.listener, "", "")
}

// Reload reads the configuration files again, as SIGHUP asks for. Files that
// are as they were change nothing, so that configuration that was pushed stays;
// broken ones change nothing either, and all that is wrong with them is logged.
func (a *App) Reload(ctx context.Context, why string) {
	log := a.o.Log
	done, err := a.publisher.Reload(ctx, publish.Change{Author: "controlplane", Reason: why})
	for _, text := range done.Warnings {
		log.WarnContext(ctx, "configuration", slog.String("note", text))
	}
	var broken config.Problems
	switch {
	case errors.As(err, &broken):
		log.ErrorContext(ctx, "invalid configuration; no change was made", slog.Int("problems", len(broken)))
		for _, one := range broken {
			log.ErrorContext(ctx, "configuration", slog.String("problem", one.String()))
		}
	case err != nil:
		log.ErrorContext(ctx, "configuration not applied", slog.String("error", err.Error()))
	case !done.Changed:
		log.InfoContext(ctx, "configuration unchanged", slog.Uint64("release", done.Release.Number))
	default:
		log.InfoContext(ctx, "configuration applied", slog.Uint64("release", done.Release.Number), slog.Int("changes", len(done.Changes)))
	}
}
