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
	group "github.com/hybridinference/gateway/shared/run"
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
	if len(os.Args) > 1 && os.Args[1] == "health" {
		return health(os.Args[2:])
	}
	r := env.New(os.Args[1:], os.LookupEnv)
	logging := logs.Read(r)
	o := node.Read(r)
	if r.Help() {
		fmt.Println("dataplane", version, "- a data-plane node of the gateway. `dataplane health` asks the one on this host whether it is ready. Settings:")
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
	o.Log.Info("listening", slog.String("addr", n.Addr()), slog.String("node", n.Name()), slog.String("version", version))
	return n.Run(ctx)
}

// health ends well if the node on this host should get requests.
func health(args []string) error {
	r := env.New(args, os.LookupEnv)
	port := r.Int("PORT", 8080, env.Port(), "port of the API")
	if r.Help() {
		fmt.Println("dataplane health - asks the node on this host whether it should get requests; status 1 if not. Settings:")
		return r.WriteUsage(os.Stdout)
	}
	if err := r.Err(); err != nil {
		return err
	}
	return group.Ask(context.Background(), fmt.Sprintf("http://127.0.0.1:%d/health/ready", port), "")
}
