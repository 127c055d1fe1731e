// Command dataplane is a data-plane node: it serves the API by the releases
// that a control plane announces over NATS. `dataplane --help` lists its
// settings; .env.example explains them.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
)

// version is set by the linker.
var version = "dev"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "dataplane:", err)
		os.Exit(1)
	}
}

func run() error {
	if err := env.LoadFile(".env"); err != nil {
		return err
	}
	r := env.New(os.Args[1:], os.LookupEnv)
	logging := logs.Read(r)
	o := node.Read(r)
	if r.Help() {
		fmt.Println("dataplane", version, "- a data-plane node of the gateway. Settings:")
		return r.WriteUsage(os.Stdout)
	}
	if err := r.Err(); err != nil {
		return err
	}
	o.Version = version
	o.Log = logging.New(os.Stderr)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	defer logs.Stopping(ctx, o.Log)()
	n, err := node.New(o)
	if err != nil {
		return err
	}
	o.Log.Info("listening", slog.String("addr", n.Addr()), slog.String("node", o.Node), slog.String("version", version))
	return n.Run(ctx)
}
