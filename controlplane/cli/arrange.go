package cli

import (
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"
)

// line is a command line in the order in which the library reads it: commands,
// flags, arguments. The library takes everything after the first argument for
// an argument; people write flags anywhere.
type line struct {
	commands, flags, args []string
	leaf                  *urfave.Command // the last of commands, nil without any
	help                  bool
	// open is the flag at the end whose value is missing, last the word that
	// a shell wants completed.
	open urfave.Flag
	last string
}

// arrange sorts a command line. What is wrong with it the library finds.
func arrange(commands []*urfave.Command, argv []string) line {
	var l line
	known := knownFlags(commands)
	for len(argv) > 0 {
		word := argv[0]
		argv = argv[1:]
		switch {
		case word == "--":
			l.args, argv = append(l.args, argv...), nil
		case len(word) < 2 || word[0] != '-':
			l.args = append(l.args, word)
		default:
			argv = argv[l.flag(known, word, argv):]
		}
	}
	if len(l.args) > 0 && l.args[0] == "help" {
		l.args, l.help = l.args[1:], true
	}
	for len(l.args) > 0 {
		i := slices.IndexFunc(commands, func(c *urfave.Command) bool { return c.HasName(l.args[0]) })
		if i < 0 {
			break
		}
		l.leaf, commands = commands[i], commands[i].Subcommands
		l.commands, l.args = append(l.commands, l.leaf.Name), l.args[1:]
	}
	l.open = l.ofLeaf(l.open)
	return l
}

// ofLeaf is the command's own flag of the same name, whose values may differ
// from those of another command's.
func (l *line) ofLeaf(f urfave.Flag) urfave.Flag {
	if f == nil || l.leaf == nil {
		return f
	}
	for _, own := range l.leaf.Flags {
		if slices.Equal(own.Names(), f.Names()) {
			return own
		}
	}
	return f
}

// flag takes in a flag and returns how many of the words after it are its value.
func (l *line) flag(known map[string]urfave.Flag, word string, after []string) (used int) {
	name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
	if name == "help" || name == "h" {
		l.help = true
		return 0
	}
	if f, ok := known[name[:min(1, len(name))]]; ok && known[name] == nil && !strings.HasPrefix(word, "--") && takesValue(f) {
		name, value, given = name[:1], strings.TrimPrefix(word[2:], "="), true // -ojson, -o=json
	}
	f := known[name]
	switch {
	case given:
		word = "--" + name + "=" + value
	case f == nil:
	case standsAlone(f):
		if len(after) > 0 && isSpan(after[0]) {
			word, used = "--"+name+"="+after[0], 1
		}
	case takesValue(f) && len(after) == 0:
		l.open = f
	case takesValue(f):
		word, used = "--"+name+"="+after[0], 1
	}
	l.flags = append(l.flags, word)
	return used
}

// words is the sorted command line, with the program's name.
func (l line) words() []string {
	out := append([]string{program}, l.commands...)
	switch {
	case l.help && l.leaf != nil && len(l.leaf.Subcommands) == 0:
		return append(out, "--help")
	case l.help:
		return slices.Concat(out, []string{"--help", "--"}, l.args)
	case l.open != nil:
		return append(out, l.flags...) // the library says what is missing
	}
	return slices.Concat(out, l.flags, []string{"--"}, l.args)
}

// knownFlags are the flags of all commands by their names. A name means the
// same kind of flag wherever it is used.
func knownFlags(commands []*urfave.Command) map[string]urfave.Flag {
	known := map[string]urfave.Flag{}
	add := func(flags []urfave.Flag) {
		for _, f := range flags {
			for _, name := range f.Names() {
				known[name] = f
			}
		}
	}
	var visit func([]*urfave.Command)
	visit = func(commands []*urfave.Command) {
		for _, c := range commands {
			add(c.Flags)
			visit(c.Subcommands)
		}
	}
	add(globalFlags())
	visit(commands)
	return known
}

func takesValue(f urfave.Flag) bool {
	d, ok := f.(urfave.DocGenerationFlag)
	return ok && d.TakesValue() && !standsAlone(f)
}

// standsAlone reports a flag such as --wait, which may have a value or none.
func standsAlone(f urfave.Flag) bool {
	g, ok := f.(*urfave.GenericFlag)
	if !ok {
		return false
	}
	b, ok := g.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// isSpan distinguishes the value of --wait from an argument after it. A number without
// a unit may be a release's, as in: releases rollback --wait 12.
func isSpan(word string) bool {
	_, err := time.ParseDuration(word)
	return err == nil && word != "0"
}
