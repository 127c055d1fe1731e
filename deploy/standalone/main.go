// Command standalone is the whole gateway in one process: a data-plane node,
// the control plane, the collector, NATS and SQLite. It is the quick start, and
// enough for a small install. `standalone --help` lists its settings;
// .env.example explains them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
)

// version is set by the linker.
var version = "dev"

func main() {
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "standalone:", err)
		os.Exit(1)
	}
}

func start() error {
	if err := env.LoadFile(".env"); err != nil {
		return err
	}
	r := env.New(os.Args[1:], os.LookupEnv)
	logging := logs.Read(r)
	o := read(r)
	if r.Help() {
		fmt.Println("standalone", version, "- the gateway in one process. Settings:")
		return r.WriteUsage(os.Stdout)
	}
	if err := r.Err(); err != nil {
		return err
	}
	o.version, o.log, o.out = version, logging.New(os.Stderr), os.Stdout
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	defer logs.Stopping(ctx, o.log)()
	return serve(ctx, o)
}
