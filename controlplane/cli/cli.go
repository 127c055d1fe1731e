// Package cli is gatewayctl: the operators' commands over the admin API of the
// control plane. Each group of commands has its file; tree.go lists them all.
// The library urfave/cli parses flags, prints help, suggests and completes.
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
	// StdinTerminal allows questions, StdoutTerminal colour, StderrTerminal a
	// progress line.
	StdinTerminal  bool
	StdoutTerminal bool
	StderrTerminal bool
	// Width is how many columns the terminal of Stdout has, 0 if not known.
	Width int
	// Version is that of this program, Build what else is known of it.
	Version, Build string
}

// env returns a variable; one that is set to nothing counts as not set.
func (o *Options) env(name string) string {
	text, _ := o.Env(name)
	return text
}

// Run carries out one command and returns the exit code.
func Run(ctx context.Context, opts Options) int {
	commands := tree()
	if words, ok := completing(opts.Args); ok {
		l := arrange(commands, words[:len(words)-1])
		l.last = words[len(words)-1]
		return report(&opts, application(session{&opts, l}, commands).RunContext(ctx, l.completion()))
	}
	l := arrange(commands, opts.Args)
	return report(&opts, application(session{&opts, l}, commands).RunContext(ctx, l.words()))
}
