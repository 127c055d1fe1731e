package cli

import "io"

// What the tests see of the inside.
var (
	Nearest   = nearest
	Printable = printable
)

// Arrange returns the command line as the library gets it.
func Arrange(argv []string) ([]string, error) {
	l, err := arrange(tree(), argv)
	if err != nil {
		return nil, err
	}
	return l.words(), nil
}

// WriteYAML prints a value as -o yaml does.
func WriteYAML(w io.Writer, value any) error { return writeYAML(w, value) }

// Example is a command line from the help of a command.
type Example struct{ Command, Line string }

// CommandExamples lists the examples of all commands, "" for a command without any.
func CommandExamples() []Example {
	var out []Example
	var visit func(*command)
	visit = func(c *command) {
		for _, line := range c.examples {
			out = append(out, Example{c.String(), line})
		}
		if len(c.examples) == 0 {
			out = append(out, Example{c.String(), ""})
		}
		for _, s := range c.subs {
			visit(s)
		}
	}
	visit(tree())
	return out
}

// Runnable lists the commands that do something.
func Runnable() []string {
	var out []string
	var visit func(*command)
	visit = func(c *command) {
		if c.run != nil {
			out = append(out, c.String())
		}
		for _, s := range c.subs {
			visit(s)
		}
	}
	visit(tree())
	return out
}

// FlagKinds lists how each flag is taken, once for every command that has it.
func FlagKinds() map[string][]string {
	kinds := map[string][]string{}
	var visit func(*command)
	visit = func(c *command) {
		for _, f := range c.allFlags() {
			kinds[f.name] = append(kinds[f.name], f.short+string(rune('0'+f.takes)))
		}
		for _, s := range c.subs {
			visit(s)
		}
	}
	visit(tree())
	return kinds
}
