package cli

import (
	"slices"
	"strings"
)

// line is a command line, sorted: whatever the order in which it was typed,
// the library gets commands, then flags, then arguments, since it stops
// looking for flags at the first argument.
type line struct {
	cmd *command
	// flags are written --name=value, with the long name.
	flags []string
	args  []string
	help  bool
}

// words is the sorted command line, with the program's name.
func (l line) words() []string {
	out := append([]string{"gatewayctl"}, l.cmd.path()...)
	if l.help || l.cmd.run == nil {
		return append(out, "--help")
	}
	return slices.Concat(out, l.flags, []string{"--"}, l.args)
}

// arrange sorts a command line and refuses what no command can make sense of.
func arrange(root *command, argv []string) (line, error) {
	s := scanner{known: knownFlags(root)}
	if err := s.scan(argv); err != nil {
		return line{}, err
	}
	if s.version && len(s.args) == 0 {
		s.args = []string{"version"}
	}
	if len(s.args) > 0 && s.args[0] == "help" {
		s.args, s.help = s.args[1:], true
	}
	out := line{cmd: root, flags: s.flags, args: s.args, help: s.help}
	if err := out.descend(); err != nil || out.help {
		return out, err
	}
	return out, out.check(s.names)
}

// descend moves the leading arguments that are commands into the path.
func (l *line) descend() error {
	for len(l.cmd.subs) > 0 && len(l.args) > 0 {
		next := l.cmd.sub(l.args[0])
		if next == nil {
			return unknownCommand(l.cmd, l.args[0])
		}
		l.cmd, l.args = next, l.args[1:]
	}
	return nil
}

func unknownCommand(above *command, word string) error {
	names := above.visible()
	if near := nearest(word, names); near != "" {
		return usagef("unknown command %q, did you mean %q?", strings.Join(append(above.path(), word), " "), strings.Join(append(above.path(), near), " "))
	}
	return usagef("unknown command %q, there is %s", strings.Join(append(above.path(), word), " "), strings.Join(names, ", "))
}

// check refuses what the command does not take.
func (l *line) check(names []string) error {
	switch {
	case l.cmd.parent == nil && len(names) == 0:
		return nil // gatewayctl alone shows its help
	case l.cmd.run == nil:
		return usagef("%s needs a command: one of %s", strings.TrimSpace("gatewayctl "+l.cmd.String()), strings.Join(l.cmd.visible(), ", "))
	}
	for _, name := range names {
		if !l.cmd.takes(name) {
			return usagef("%s does not take --%s, see gatewayctl %s --help", l.cmd, name, l.cmd)
		}
	}
	return l.cmd.checkArgs(l.args)
}
