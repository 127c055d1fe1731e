package cli

import (
	"io"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// Printable is what a table does to the text of others.
var Printable = printable

// CSVCell is how a text stands in a CSV file.
var CSVCell = csvCell

// Arrange returns the command line as the library gets it.
func Arrange(argv []string) []string { return arrange(tree(), argv).words() }

// WriteYAML prints a value as -o yaml does.
func WriteYAML(w io.Writer, value any) error { return writeYAML(w, value) }

// Example is a command line from the help of a command.
type Example struct{ Command, Line string }

// CommandExamples lists the examples of all commands, "" for a command without any.
func CommandExamples() []Example {
	out := examples(program, rootHelp)
	eachCommand(func(path string, c *urfave.Command) { out = append(out, examples(path, c.Description)...) })
	return out
}

func examples(command, text string) (out []Example) {
	_, lines, found := strings.Cut(text, examplesTitle)
	if !found {
		return []Example{{command, ""}}
	}
	for line := range strings.SplitSeq(lines, "\n") {
		out = append(out, Example{command, strings.TrimSpace(line)})
	}
	return out
}

// Runnable lists the commands that do something.
func Runnable() (out []string) {
	eachCommand(func(path string, c *urfave.Command) {
		if len(c.Subcommands) == 0 {
			out = append(out, path)
		}
	})
	return out
}

// FlagKinds lists how each flag is taken, once for every command that has it.
func FlagKinds() map[string][]string {
	kinds := map[string][]string{}
	eachCommand(func(_ string, c *urfave.Command) {
		for _, f := range c.Flags {
			kind := "switch"
			if standsAlone(f) {
				kind = "optional value"
			} else if takesValue(f) {
				kind = "value"
			}
			for _, name := range f.Names() {
				kinds[name] = append(kinds[name], kind)
			}
		}
	})
	return kinds
}

func eachCommand(do func(path string, c *urfave.Command)) {
	var visit func(above string, commands []*urfave.Command)
	visit = func(above string, commands []*urfave.Command) {
		for _, c := range commands {
			path := strings.TrimSpace(above + " " + c.Name)
			do(path, c)
			visit(path, c.Subcommands)
		}
	}
	visit("", tree())
}
