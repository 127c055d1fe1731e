// Command dataplane is a data-plane node: it serves the API by the releases
// that a control plane announces over NATS. `dataplane --help` lists its
// settings; .env.example explains them.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/shared/buildinfo"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
	"github.com/hybridinference/gateway/shared/metrics"
	"github.com/hybridinference/gateway/shared/run"
	"github.com/hybridinference/gateway/shared/tracing"
)

// version is set by the linker.
var version = "dev"

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dataplane:", err)
		os.Exit(1)
	}
}

func start(args []string) error {
	if len(args) > 0 && slices.Contains([]string{"version", "-v", "--version"}, args[0]) {
		fmt.Println(buildinfo.Line("dataplane", version))
		return nil
	}
	vars, err := env.Open(".env", os.Environ())
	if err != nil {
		return err
	}
	if err := vars.Export(); err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "health" {
		return health(args[1:], vars)
	}
	var s node.Settings
	if err := env.Parse(&s, args, vars.Lookup); errors.Is(err, env.ErrHelp) {
		fmt.Println("dataplane", version, "- a data-plane node of the gateway. `dataplane health` asks the one on this host whether it is ready. Settings:")
		return env.WriteUsage(os.Stdout, &s)
	} else if err != nil {
		return err
	}
	return serve(&s, vars)
}

func serve(s *node.Settings, vars *env.Environment) (err error) {
	hangups, ignore := env.Hangups()
	defer ignore()
	o := s.Options(vars.Lookup)
	o.Version, o.Log = version, s.Log.New(os.Stderr)
	run.LimitMemory()
	ctx, stop := run.Signals(context.Background()) // a second signal ends the process at once
	defer stop()
	defer logs.Stopping(ctx, o.Log)()
	registry := metrics.NewRegistry(version)
	o.Metrics = registry
	scraped, err := metrics.Serve(ctx, s.Metrics, metrics.NodeAddr, registry, o.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scraped.Close()) }()
	o.Tracing, err = tracing.Start(ctx, &s.Tracing, tracing.Process{Service: "gateway-dataplane", Version: version, Instance: o.Node, Log: o.Log})
	if err != nil {
		return err
	}
	defer o.Tracing.Stop(context.WithoutCancel(ctx))
	n, err := node.New(ctx, o)
	if err != nil {
		return err
	}
	o.Log.Info("listening", slog.String("addr", n.Addr()), slog.String("node", n.Name()), slog.String("version", version))
	defer vars.Follow(context.WithoutCancel(ctx), hangups, s, o.Log, func(string) { n.Reload() })()
	return n.Run(ctx)
}

// health succeeds if the node on this host should get requests.
func health(args []string, vars *env.Environment) error {
	var s node.Health
	if err := env.Parse(&s, args, vars.Lookup); errors.Is(err, env.ErrHelp) {
		fmt.Println("dataplane health - asks the node on this host whether it is ready for requests; exit status 1 if not. Settings:")
		return env.WriteUsage(os.Stdout, &s)
	} else if err != nil {
		return err
	}
	return run.Ask(context.Background(), s.URL(), "")
}
