// Package cli is gatewayctl: the operators' commands over the admin API of the
// control plane. Each group of commands has its file; tree.go lists them all.
//
// Run never prints on its own nor reads the environment: main hands everything
// in, so that tests run commands as a shell would.
package cli

import (
	"context"
	"io"
)

// Options are what a process gives to its program.
type Options struct {
	// Args are the words after the program's name.
	Args []string
	// Env looks up a variable of the environment.
	Env    func(string) (string, bool)
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// StdoutTerminal allows colour, StderrTerminal a progress line.
	StdoutTerminal bool
	StderrTerminal bool
	// Version is that of this program.
	Version string
}

// env returns a variable; one that is set to nothing counts as not set.
func (o *Options) env(name string) string {
	text, _ := o.Env(name)
	return text
}

// Run carries out one command and returns the exit code.
func Run(ctx context.Context, opts Options) int {
	return report(&opts, run(ctx, &opts))
}

func run(ctx context.Context, opts *Options) error {
	root := tree()
	line, err := arrange(root, opts.Args)
	if err != nil {
		return err
	}
	return application(opts, root, line).RunContext(ctx, line.words())
}
