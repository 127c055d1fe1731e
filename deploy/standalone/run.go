package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/run"
)

const (
	natsReady   = 20 * time.Second
	unwindTime  = 30 * time.Second
	maxPayload  = 8 << 20
	storageName = "nats"
)

// start is one straight line in the order of what needs what; each part is
// followed by how it ends.
func (o *options) start(ctx context.Context) (parts, error) {
	var p parts
	fail := func(err error) (parts, error) {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
		defer cancel()
		return parts{}, errors.Join(err, p.ends.Unwind(stop))
	}
	unlock, err := run.LockDir(o.stateDir)
	if err != nil {
		return fail(fmt.Errorf("STATE_DIR: %w", err))
	}
	p.ends.Push("lock", func(context.Context) error { return unlock() })
	if o.keySecret, err = keySecret(o.stateDir, o.keySecret); err != nil {
		return fail(err)
	}
	broker, err := startNATS(filepath.Join(o.stateDir, storageName))
	if err != nil {
		return fail(err)
	}
	p.ends.Push("NATS", func(context.Context) error {
		broker.Shutdown()
		broker.WaitForShutdown()
		return nil
	})
	conn, err := bus.Connect(bus.Options{Role: bus.RoleCollector, Name: "standalone", InProcess: broker, Log: o.log})
	if err != nil {
		return fail(err)
	}
	p.ends.Push("NATS connection", func(context.Context) error { conn.Close(); return nil })
	logs, err := requestlog.Open(ctx, o.store)
	if err != nil {
		return fail(err)
	}
	p.ends.Push("request log", func(context.Context) error { return logs.Close() })
	if err := logs.Migrate(ctx); err != nil {
		return fail(fmt.Errorf("request log: %w", err))
	}
	p.control, err = app.New(ctx, app.Options{
		Addr: o.adminAddr, NATS: bus.Options{InProcess: broker}, State: o.store, LogStore: logs, Files: o.files, Token: o.token, Open: o.open,
		KeySecret: o.keySecret, Version: o.version, Log: o.log,
	})
	if err != nil {
		return fail(err)
	}
	p.collector, err = collector.New(collector.Options{NATS: conn, Store: logs, Name: o.store.Backend, Primary: true, Retention: o.retention, Logger: o.log})
	if err != nil {
		return fail(err)
	}
	n := o.node
	n.Version, n.Log, n.NATS.InProcess, n.StateDir = o.version, o.log, broker, filepath.Join(o.stateDir, "node")
	n.Gateway.KeySecret, n.Gateway.Admin = o.keySecret, p.control.Handler()
	if p.node, err = node.New(n); err != nil {
		return fail(err)
	}
	return p, nil
}

// parts are what runs.
type parts struct {
	node      *node.Node
	control   *app.App
	collector *collector.Collector
	ends      run.Stack
}

// serve starts everything and ends it in reverse: first the node, whose streams
// finish while the rest still serves them, then the others.
func serve(ctx context.Context, o options) error {
	p, err := o.start(ctx)
	if err != nil {
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
		g.Add("collector", p.collector.Run)
		err := g.Run(rest)
		stopNode() // a part that fails takes the process with it
		ended <- err
	}()
	go o.greet(nodeCtx, p)
	defer p.control.ReloadOnHangup(rest)()
	err = p.node.Run(nodeCtx)
	stopRest()
	err = errors.Join(err, <-ended)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), unwindTime)
	defer cancel()
	return errors.Join(err, p.ends.Unwind(stop))
}

func startNATS(dir string) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "standalone", DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true, MaxPayload: maxPayload, NoSigs: true, NoLog: true,
	})
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	go s.Start()
	if !s.ReadyForConnections(natsReady) {
		s.Shutdown()
		return nil, fmt.Errorf("NATS is not ready after %s; its storage is %s", natsReady, dir)
	}
	return s, nil
}
