// Command standalone is the gateway in one process: a data-plane node,
// the control plane, the collector, NATS and SQLite. It is the quick start, and
// enough for a small install. `standalone --help` lists its settings;
// .env.example explains them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/hybridinference/gateway/shared/buildinfo"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
	"github.com/hybridinference/gateway/shared/run"
)

// version is set by the linker.
var version = "dev"

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "standalone:", err)
		os.Exit(1)
	}
}

func start(args []string) error {
	if len(args) > 0 && slices.Contains([]string{"version", "-v", "--version"}, args[0]) {
		fmt.Println(buildinfo.Line("standalone", version))
		return nil
	}
	vars, err := env.Open(".env", os.Environ())
	if err != nil {
		return err
	}
	if err := vars.Export(); err != nil {
		return err
	}
	var s Settings
	if err := env.Parse(&s, args, vars.Lookup); errors.Is(err, env.ErrHelp) {
		fmt.Println("standalone", version, "- the gateway in one process. Settings:")
		return env.WriteUsage(os.Stdout, &s)
	} else if err != nil {
		return err
	}
	run.LimitMemory()
	hangups, ignore := env.Hangups()
	defer ignore()
	ctx, stop := run.Signals(context.Background()) // a second signal ends the process at once
	defer stop()
	p := process{settings: &s, vars: vars, hangups: hangups, version: version, log: s.Log.New(os.Stderr), out: os.Stdout}
	defer logs.Stopping(ctx, p.log)()
	return p.serve(ctx)
}
