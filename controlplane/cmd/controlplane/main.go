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
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/shared/env"
)

// version is set by the linker.
var version = "dev"

func main() {
	err := run(os.Args[1:])
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

// runner does a command's work and prints its result to out.
type runner func(ctx context.Context, out io.Writer) error

// command is a subcommand: it reads its settings, and then runs.
type command struct {
	name, about string
	read        func(*env.Reader) runner
}

func commands() []command {
	return []command{
		{"serve", "the daemon: compiles the configuration, publishes releases, serves the admin API", readServe},
		{"collect", "moves usage events from NATS into the database", readCollect},
		{"migrate", "brings the database's tables up to this version", readMigrate},
		{"restored", "after a backup of the database was put back: makes its releases and keys count, although nodes have seen later ones", readRestored},
		{"compare", "counts the request logs of dual writing, hour by hour, and copies what one of them lacks", readCompare},
		{"validate", "checks models.yaml and routing.yaml, and changes nothing", readValidate},
		{"health", "asks the daemon on this host, or the collector at COLLECT_HEALTH, whether it answers; status 1 if not", readHealth},
	}
}

func run(args []string) error {
	if err := env.LoadFile(".env"); err != nil {
		return err
	}
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		usage()
		if len(args) == 0 {
			return errors.New("which command?")
		}
		return nil
	}
	if slices.Contains([]string{"version", "-v", "--version"}, args[0]) {
		fmt.Println("controlplane", version)
		return nil
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		return fmt.Errorf("there is no command %q; there are %s", args[0], names(all))
	}
	return all[i].run(args[1:])
}

func (c *command) run(args []string) error {
	r := env.New(args, os.LookupEnv)
	start := c.read(r)
	if r.Help() {
		fmt.Printf("controlplane %s - %s\n\nSettings, as variables or flags:\n", c.name, c.about)
		return r.WriteUsage(os.Stdout)
	}
	if err := r.Err(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return start(ctx, os.Stdout)
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
		fmt.Printf("  controlplane %-9s %s\n", c.name, c.about)
	}
	fmt.Println("\n`controlplane COMMAND --help` lists a command's settings.")
}
