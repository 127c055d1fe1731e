package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/sinks"
	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/metrics"
	"github.com/hybridinference/gateway/shared/run"
	"github.com/hybridinference/gateway/shared/tracing"
)

const (
	// lockWait is how long a start waits for STATE_DIR: a process that was killed
	// a moment ago may not be gone yet.
	lockWait    = 2 * time.Second
	natsReady   = 20 * time.Second
	unwindTime  = 30 * time.Second
	maxPayload  = 8 << 20
	storageName = "nats"
)

// start is one straight line in the order of what needs what; each part is
// followed by how it ends.
func (p *process) start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, p.unwind(ctx))
		}
	}()
	dir := p.settings.stateDir()
	unlock, err := run.LockDir(dir, lockWait)
	if err != nil {
		return fmt.Errorf("STATE_DIR: %w", err)
	}
	p.ends.Push("lock of STATE_DIR", func(context.Context) error { return unlock() })
	secret, err := keySecret(dir, p.settings.Serving.KeySecret)
	if err != nil {
		return err
	}
	broker, err := p.startNATS(filepath.Join(dir, storageName))
	if err != nil {
		return err
	}
	conn, err := bus.Connect(bus.Options{Role: bus.RoleCollector, Name: "standalone", InProcess: broker, Log: p.log})
	if err != nil {
		return err
	}
	p.ends.Push("NATS connection", func(context.Context) error { conn.Close(); return nil })
	registry, spans, err := p.observe(ctx)
	if err != nil {
		return err
	}
	control := p.settings.control(p.vars.Lookup)
	p.sinks, err = sinks.Open(ctx, sinks.Options{
		NATS: conn, Databases: p.settings.Dual.Stores(control.State), Retention: p.settings.Retention.Spans(), Version: p.version, Tracing: spans, Log: p.log,
	})
	if err != nil {
		return err
	}
	p.ends.Push("request log", func(context.Context) error { return p.sinks.Close() })
	registry.MustRegister(p.sinks.Metrics())
	if err := p.prepareLog(ctx); err != nil {
		return err
	}
	for _, store := range p.sinks.Stores() {
		control.Erasers = append(control.Erasers, store)
	}
	control.NATS.InProcess, control.LogStore, control.KeySecret, control.Version, control.Log = broker, p.sinks.Read(), secret, p.version, p.log
	control.Metrics = registry
	if p.settings.Console.API == "" {
		control.Console.API = p.nodeURL
	}
	if p.control, err = app.New(ctx, control); err != nil {
		return err
	}
	p.ends.Push("control plane", p.control.Close)
	n := p.settings.node(p.vars.Lookup)
	n.Version, n.Log, n.NATS.InProcess, n.StateDir = p.version, p.log, broker, filepath.Join(dir, "node")
	n.Metrics, n.Tracing = registry, spans
	n.Gateway.KeySecret, n.Gateway.Admin = secret, p.control.Handler()
	p.node, err = node.New(ctx, n)
	return err
}

// observe serves metrics and starts the export of traces.
func (p *process) observe(ctx context.Context) (*exposition.Registry, *tracing.Tracing, error) {
	registry := metrics.NewRegistry(p.version)
	scraped, err := metrics.Serve(ctx, p.settings.Metrics, metrics.NodeAddr, registry, p.log)
	if err != nil {
		return nil, nil, err
	}
	p.ends.Push("metrics", func(context.Context) error { return scraped.Close() })
	spans, err := tracing.Start(ctx, &p.settings.Tracing, tracing.Process{Service: "gateway-standalone", Version: p.version, Log: p.log})
	if err != nil {
		return nil, nil, err
	}
	p.ends.Push("traces", func(ctx context.Context) error { spans.Stop(ctx); return nil })
	return registry, spans, nil
}

// prepareLog makes the tables of SQLite. Those of a server are left to the
// collector, which waits for it: it may start after the gateway.
func (p *process) prepareLog(ctx context.Context) error {
	if p.settings.Database.Config().Backend != database.BackendSQLite {
		return nil
	}
	if err := p.sinks.Primary().Migrate(ctx); err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	return nil
}

// process is what runs, and what it was told.
type process struct {
	settings *Settings
	vars     *env.Environment
	hangups  <-chan os.Signal
	version  string
	log      *slog.Logger
	out      io.Writer

	node    *node.Node
	control *app.App
	sinks   *sinks.Sinks
	ends    run.Stack
}

// nodeURL is where this process's own node listens.
func (p *process) nodeURL() string {
	host, port, err := net.SplitHostPort(p.node.Addr())
	if addr, bad := netip.ParseAddr(host); err != nil || bad == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func (p *process) unwind(ctx context.Context) error {
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
	defer cancel()
	return p.ends.Unwind(stop)
}

// serve starts everything and ends it in reverse: first the node, whose streams
// finish while the rest still serves them, then the others.
func (p *process) serve(ctx context.Context) error {
	if err := p.start(ctx); err != nil {
		return err
	}
	rest, stopRest := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRest()
	nodeCtx, stopNode := context.WithCancel(ctx)
	defer stopNode()
	ended := make(chan error, 1)
	go func() {
		var g run.Group
		g.Add("control plane", p.control.Run)
		p.sinks.AddTo(&g)
		err := g.Run(rest)
		stopNode() // a part that fails takes the process with it
		ended <- err
	}()
	go p.greet(nodeCtx)
	stopFollowing := p.vars.Follow(rest, p.hangups, p.settings, p.log, func(why string) {
		p.control.Reload(rest, why)
		p.node.Reload()
	})
	err := p.node.Run(nodeCtx)
	stopFollowing()
	stopRest()
	return errors.Join(err, <-ended, p.unwind(ctx))
}

// maxStore is more than the limits of all streams together. The server's own limit
// is three quarters of what is free at its start: on a small disk the streams would
// not be made, and no event would reach the database.
const maxStore = 16 << 30

func (p *process) startNATS(dir string) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "standalone", DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true, MaxPayload: maxPayload, NoSigs: true, NoLog: true,
		JetStreamMaxStore: maxStore,
	})
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	go s.Start()
	if !s.ReadyForConnections(natsReady) {
		s.Shutdown()
		return nil, fmt.Errorf("NATS is not ready after %s; its storage is %s", natsReady, dir)
	}
	p.ends.Push("NATS", func(context.Context) error {
		s.Shutdown()
		s.WaitForShutdown()
		return nil
	})
	return s, nil
}
