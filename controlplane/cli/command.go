package cli

import (
	"context"
	"slices"
	"strings"
)

// command is one word of the command line and what stands below it: either
// other commands or something to run.
type command struct {
	name string
	// alias is another name; may be empty.
	alias string
	// about is one line, without a full stop.
	about string
	// details is more text for --help; may be empty.
	details string
	// examples are command lines that work.
	examples []string
	hidden   bool

	subs []*command

	// args names the arguments for the usage line. An argument in brackets may
	// be left out, "..." after the last takes more of it.
	args  string
	flags []flag
	run   func(ctx context.Context, in *invocation) error
	// suggest lists what could be the argument after those in args; may be nil.
	suggest func(ctx context.Context, in *invocation, args []string) []string

	parent *command
}

// path is the command with those above it, without the program's name.
func (c *command) path() []string {
	if c.parent == nil {
		return nil
	}
	return append(c.parent.path(), c.name)
}

func (c *command) String() string { return strings.Join(c.path(), " ") }

func (c *command) sub(name string) *command {
	i := slices.IndexFunc(c.subs, func(s *command) bool { return s.name == name || s.alias == name && name != "" })
	if i < 0 {
		return nil
	}
	return c.subs[i]
}

// visible lists the names of what may follow.
func (c *command) visible() []string {
	var names []string
	for _, s := range c.subs {
		if !s.hidden {
			names = append(names, s.name)
		}
	}
	return names
}

// allFlags are the command's own and those that every command takes.
func (c *command) allFlags() []flag { return slices.Concat(c.flags, globalFlags()) }

func (c *command) takes(name string) bool {
	return slices.ContainsFunc(c.allFlags(), func(f flag) bool { return f.name == name })
}

// checkArgs compares the number of arguments with the usage line.
func (c *command) checkArgs(given []string) error {
	var least, most int
	for word := range strings.FieldsSeq(c.args) {
		most++
		if !strings.HasPrefix(word, "[") {
			least++
		}
		if strings.HasSuffix(word, "...") {
			most = len(given)
		}
	}
	if len(given) < least {
		missing := strings.Fields(c.args)[len(given)]
		return usagef("%s: %s is missing, see gatewayctl %s --help", c, strings.TrimSuffix(missing, "..."), c)
	}
	if len(given) > max(least, most) {
		return usagef("%s: unexpected argument %q, see gatewayctl %s --help", c, given[most], c)
	}
	return nil
}

// adopt tells each command what stands above it.
func (c *command) adopt() *command {
	for _, s := range c.subs {
		s.parent = c
		s.adopt()
	}
	return c
}
