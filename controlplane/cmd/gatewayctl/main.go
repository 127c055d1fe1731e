// Command gatewayctl is the operators' command line; see package cli.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/hybridinference/gateway/controlplane/cli"
	"github.com/hybridinference/gateway/shared/env"
)

// version is stamped by make build.
var version = "dev"

func main() { os.Exit(run()) }

func run() int {
	vars, err := env.Open(".env", os.Environ())
	if err == nil {
		err = vars.Export()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "gatewayctl: %v\n", err)
		return cli.ExitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	return cli.Run(ctx, cli.Options{
		Args: os.Args[1:], Env: vars.Lookup, Version: version,
		Stdin: os.Stdin, StdinTerminal: isTerminal(os.Stdin), Stdout: os.Stdout, StdoutTerminal: isTerminal(os.Stdout),
		Stderr: os.Stderr, StderrTerminal: isTerminal(os.Stderr),
	})
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
