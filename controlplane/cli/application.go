package cli

import (
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// application hands the commands to the library, which parses the sorted line,
// prints help and calls what is to run.
func application(opts *Options, root *command, l line) *urfave.App {
	return &urfave.App{
		Name: root.name, Usage: root.about, UsageText: "gatewayctl COMMAND [arguments] [flags]", Description: describe(root),
		Commands: libraryCommands(root, opts, l), Flags: libraryFlags(nil),
		Writer: opts.Stdout, ErrWriter: opts.Stderr, HideVersion: true, HideHelpCommand: true,
		OnUsageError: asUsage,
		// the library would end the process
		ExitErrHandler: func(*urfave.Context, error) {},
	}
}

func libraryCommands(above *command, opts *Options, l line) []*urfave.Command {
	var out []*urfave.Command
	for _, c := range above.subs {
		out = append(out, &urfave.Command{
			Name: c.name, Usage: c.about, UsageText: usageLine(c), Description: describe(c), Hidden: c.hidden,
			Subcommands: libraryCommands(c, opts, l), Flags: libraryFlags(c.flags), HideHelpCommand: true,
			OnUsageError: asUsage, Action: action(c, opts, l),
		})
	}
	return out
}

func usageLine(c *command) string {
	if c.run == nil {
		return "gatewayctl " + c.String() + " COMMAND [arguments] [flags]"
	}
	return strings.Join(strings.Fields("gatewayctl "+c.String()+" "+c.args+" [flags]"), " ")
}

func describe(c *command) string {
	var b strings.Builder
	if c.details != "" {
		b.WriteString(c.details + "\n\n")
	}
	b.WriteString("Examples:")
	for _, e := range c.examples {
		b.WriteString("\n  " + e)
	}
	return b.String()
}

func libraryFlags(own []flag) []urfave.Flag {
	var out []urfave.Flag
	for _, f := range own {
		out = append(out, f.urfave(""))
	}
	for _, f := range globalFlags() {
		out = append(out, f.urfave(globalGroup))
	}
	return out
}

// asUsage keeps the library from printing: report does.
func asUsage(_ *urfave.Context, err error, _ bool) error { return usagef("%s", err) }

func action(c *command, opts *Options, l line) urfave.ActionFunc {
	if c.run == nil {
		return nil // the library shows the help
	}
	return func(flags *urfave.Context) error {
		in := &invocation{opts: opts, value: flags.String, given: flags.IsSet, args: l.args}
		if err := in.checkFormat(); err != nil {
			return err
		}
		return in.explain(c.run(flags.Context, in))
	}
}
