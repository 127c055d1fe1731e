// Command controlplane runs the control plane's parts: the daemon (serve), the
// collector of usage events (collect), the migrations of the database
// (migrate), and a check of the configuration (validate). `controlplane help`
// lists the settings of each.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/shared/buildinfo"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/run"
)

// version is set by the linker.
var version = "dev"

func main() {
	err := start(os.Args[1:])
	var broken config.Problems
	switch {
	case errors.As(err, &broken):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

// command is a subcommand.
type command struct {
	name, about string
	// settings makes its empty settings, for --help.
	settings func() any
	run      func(ctx context.Context, vars *env.Environment, args []string) error
}

// declare makes a command of a function that takes its settings and prints its
// result to out.
func declare[S any](name, about string, do func(ctx context.Context, vars *env.Environment, s *S, out io.Writer) error) command {
	return command{name, about, func() any { return new(S) }, func(ctx context.Context, vars *env.Environment, args []string) error {
		s := new(S)
		if err := env.Parse(s, args, vars.Lookup); err != nil {
			return err
		}
		return do(ctx, vars, s, os.Stdout)
	}}
}

func commands() []command {
	return []command{
		declare("serve", "the daemon: compiles the configuration, publishes releases, serves the admin API", serve),
		declare("collect", "moves usage events from NATS into the database", collect),
		declare("migrate", "migrates the database to this version", migrate),
		declare("after-restore", "run it after restoring a database backup: makes its releases and keys current, even if nodes have seen later ones", afterRestore),
		declare("compare", "compares the two request logs of D1_DUAL_WRITE hour by hour, and can copy missing rows", compareLogs),
		declare("validate", "checks models.yaml and routing.yaml without changing anything", validate),
		declare("signing-key", "prints a new key pair: RELEASE_SIGNING_KEY for the daemons, RELEASE_PUBLIC_KEY for the nodes", signingKey),
		declare("health", "checks the health of the daemon on this host, or of the collector at COLLECT_HEALTH; exits with 1 if it does not answer", health),
	}
}

func start(args []string) error {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		usage()
		if len(args) == 0 {
			return errors.New("no command given")
		}
		return nil
	}
	if slices.Contains([]string{"version", "-v", "--version"}, args[0]) {
		fmt.Println(buildinfo.Line("controlplane", version))
		return nil
	}
	if args[0] == "restored" { // its old name
		args[0] = "after-restore"
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		return fmt.Errorf("unknown command %q; the commands are %s", args[0], names(all))
	}
	vars, err := env.Open(".env", os.Environ())
	if err != nil {
		return err
	}
	if err := vars.Export(); err != nil {
		return err
	}
	ctx, stop := run.Signals(context.Background()) // a second signal ends the process at once
	defer stop()
	err = all[i].run(ctx, vars, args[1:])
	if errors.Is(err, env.ErrHelp) {
		fmt.Printf("controlplane %s - %s\n\nSettings, as variables or flags:\n", all[i].name, all[i].about)
		return env.WriteUsage(os.Stdout, all[i].settings())
	}
	return err
}

func names(all []command) string {
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = c.name
	}
	return strings.Join(out, ", ")
}

func usage() {
	fmt.Printf("controlplane %s - the control plane of the gateway\n\n", version)
	for _, c := range commands() {
		fmt.Printf("  controlplane %-13s %s\n", c.name, c.about)
	}
	fmt.Println("\n`controlplane COMMAND --help` lists a command's settings.")
}
