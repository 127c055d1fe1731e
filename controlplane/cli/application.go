package cli

import (
	"context"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

const program = "gatewayctl"

// session is what a command finds in the library's App.
type session struct {
	opts *Options
	line line
}

const sessionKey = "session"

func sessionOf(c *urfave.Context) session {
	s, _ := c.App.Metadata[sessionKey].(session)
	return s
}

// application hands the commands to the library, which parses flags, prints
// help, completes words and calls what is to run.
func application(s session, commands []*urfave.Command) *urfave.App {
	return &urfave.App{
		Name: program, Usage: "operate a gateway: models, traffic, releases, nodes and keys", UsageText: program + " COMMAND [arguments] [flags]",
		Description: rootHelp, Version: s.opts.build(), Commands: commands, Flags: globalFlags(), Action: group,
		Metadata: map[string]any{sessionKey: s}, Writer: s.opts.Stdout, ErrWriter: s.opts.Stderr,
		EnableBashCompletion: true, BashComplete: completer(nil), HideHelpCommand: true, OnUsageError: wrongFlag,
		// the library would end the process
		ExitErrHandler: func(*urfave.Context, error) {},
	}
}

// finish gives every command what all have in common.
func finish(commands []*urfave.Command) []*urfave.Command {
	for _, c := range commands {
		c.Flags = append(c.Flags, globalFlags()...)
		c.HideHelpCommand, c.OnUsageError = true, wrongFlag
		if c.BashComplete == nil {
			c.BashComplete = completer(nil)
		}
		if len(c.Subcommands) > 0 && c.Action == nil {
			c.Action = group
		} else {
			c.CustomHelpTemplate = urfave.CommandHelpTemplate
		}
		finish(c.Subcommands)
	}
	return commands
}

// help is the long text of a command, with examples that work.
func help(text string, examples ...string) string {
	if text != "" {
		text += "\n\n"
	}
	return text + examplesTitle + strings.Join(examples, "\n  ")
}

const examplesTitle = "Examples:\n  "

// run makes a function of ours an action of the library's.
func run(do func(context.Context, *invocation) error) urfave.ActionFunc {
	return func(c *urfave.Context) error {
		if err := checkArgs(c); err != nil {
			return err
		}
		in := newInvocation(c)
		return in.explain(do(c.Context, in))
	}
}

// group is the action of a command that only has others below it. Alone it lists,
// if one of them does.
func group(c *urfave.Context) error {
	if !c.Args().Present() {
		for _, below := range c.Command.Subcommands {
			if below.Name == "list" {
				return below.Action(c)
			}
		}
		if c.Command.Name == program && c.NumFlags() == 0 {
			return urfave.ShowAppHelp(c)
		}
		return usagef("a command is missing, see %s --help", c.Command.HelpName)
	}
	word := c.Args().First()
	hint := ""
	if near := urfave.SuggestCommand(c.Command.Subcommands, word); strings.Contains(near, `"`+word[:min(1, len(word))]) {
		hint = ". " + near
	}
	return usagef("unknown command %q%s See %s --help", strings.TrimPrefix(c.Command.HelpName+" "+word, program+" "), orStop(hint), c.Command.HelpName)
}

// wrongFlag keeps the library from printing: report does. The value of an
// unknown flag is not repeated: it may be a secret.
func wrongFlag(c *urfave.Context, err error, _ bool) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return usagef("%s: %s", title(c), strings.Replace(err.Error(), "invalid boolean value", "invalid value", 1))
	}
	hint := ""
	if near := urfave.SuggestFlag(c.Command.Flags, name, false); strings.HasPrefix(strings.TrimLeft(near, "-"), name[:min(1, len(name))]) {
		hint = `. Did you mean "` + near + `"?`
	}
	dashes := strings.Repeat("-", min(2, len(name)))
	return usagef("unknown flag %s%s See %s --help", dashes+name, orStop(hint), c.Command.HelpName)
}

// orStop ends a sentence to which there is no hint.
func orStop(hint string) string {
	if hint == "" {
		return "."
	}
	return hint
}

// title is the command without the program's name.
func title(c *urfave.Context) string { return strings.TrimPrefix(c.Command.HelpName, program+" ") }

// checkArgs compares the number of arguments with the usage line: an argument
// in brackets may be left out, "..." after the last takes more of it.
func checkArgs(c *urfave.Context) error {
	var least, most int
	given, names := c.Args(), strings.Fields(c.Command.ArgsUsage)
	for _, name := range names {
		most++
		if !strings.HasPrefix(name, "[") {
			least++
		}
		if strings.HasSuffix(name, "...") {
			most = max(most, given.Len())
		}
	}
	switch {
	case given.Len() < least:
		return usagef("%s: %s is missing, see %s --help", title(c), strings.TrimSuffix(names[given.Len()], "..."), c.Command.HelpName)
	case given.Len() > most:
		return usagef("%s: unexpected argument %q, see %s --help", title(c), given.Get(most), c.Command.HelpName)
	}
	return nil
}
