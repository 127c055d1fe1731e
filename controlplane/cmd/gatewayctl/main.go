// Command gatewayctl is the operators' command line; see package cli.
package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/hybridinference/gateway/controlplane/cli"
	"github.com/hybridinference/gateway/shared/buildinfo"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/run"
)

// version is stamped by make build.
var version = "dev"

func main() { os.Exit(start()) }

func start() int {
	vars, err := env.Open(".env", os.Environ())
	if err == nil {
		err = vars.Export()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "gatewayctl: %v\n", err)
		return cli.ExitUsage
	}
	ctx, stop := run.Signals(context.Background()) // a second signal ends the process at once
	defer stop()
	return cli.Run(ctx, cli.Options{
		Args: os.Args[1:], Env: vars.Lookup, Version: version, Build: buildinfo.About(),
		Stdin: os.Stdin, StdinTerminal: isTerminal(os.Stdin), Stdout: os.Stdout, StdoutTerminal: isTerminal(os.Stdout),
		Stderr: os.Stderr, StderrTerminal: isTerminal(os.Stderr), Width: width(os.Stdout),
	})
}

// width returns how many columns a terminal has, 0 for what is none.
func width(f *os.File) int {
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
