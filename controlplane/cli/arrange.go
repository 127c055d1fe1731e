package cli

import (
	"slices"
	"strings"
	"time"
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

// knownFlags are the flags of all commands by their names, short ones too.
func knownFlags(root *command) map[string]flag {
	known := map[string]flag{}
	var visit func(*command)
	visit = func(c *command) {
		for _, f := range c.allFlags() {
			known[f.name] = f
			if f.short != "" {
				known[f.short] = f
			}
		}
		for _, s := range c.subs {
			visit(s)
		}
	}
	visit(root)
	return known
}

// scanner separates flags from arguments.
type scanner struct {
	known   map[string]flag
	flags   []string
	names   []string // of flags
	args    []string
	help    bool
	version bool
	// open is a flag at the end of the line whose value is missing.
	open string
}

func (s *scanner) scan(argv []string) error {
	for len(argv) > 0 {
		word := argv[0]
		argv = argv[1:]
		switch {
		case word == "--":
			s.args = append(s.args, argv...)
			return nil
		case len(word) < 2 || word[0] != '-':
			s.args = append(s.args, word)
		default:
			used, err := s.flag(word, argv)
			if err != nil {
				return err
			}
			argv = argv[used:]
		}
	}
	return nil
}

// flag takes in one flag and returns how many of the words after it are its value.
func (s *scanner) flag(word string, after []string) (used int, err error) {
	name, value, given := s.split(word)
	switch name {
	case "help", "h":
		s.help = true
		return 0, nil
	case "version", "v":
		s.version = true
		return 0, nil
	}
	f, ok := s.known[name]
	if !ok {
		return 0, unknownFlag(word, name, s.known)
	}
	switch {
	case f.takes == takesNothing && given && value != "true" && value != "false":
		return 0, usagef("--%s takes no value", f.name)
	case f.takes == takesNothing && !given:
		value = "true"
	case f.takes == takesSpan && !given:
		value = defaultWait.String()
		if len(after) > 0 && isSpan(after[0]) {
			value, used = after[0], 1
		}
	case f.takes == takesValue && !given:
		if len(after) == 0 {
			s.open = f.name
			return 0, usagef("--%s needs a value", f.name)
		}
		value, used = after[0], 1
	}
	s.flags = append(s.flags, "--"+f.name+"="+value)
	s.names = append(s.names, f.name)
	return used, nil
}

// split reads --name, --name=value, -n, -nvalue and -n=value.
func (s *scanner) split(word string) (name, value string, given bool) {
	text := strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-")
	name, value, given = strings.Cut(text, "=")
	if _, ok := s.known[name]; ok || strings.HasPrefix(word, "--") || len(text) < 2 {
		return name, value, given
	}
	if f, ok := s.known[text[:1]]; ok && f.short == text[:1] && f.takes == takesValue {
		return text[:1], strings.TrimPrefix(text[1:], "="), true
	}
	return name, value, given
}

// isSpan tells the value of --wait from an argument after it. A number without
// a unit may be a release's, as in: releases rollback --wait 12.
func isSpan(word string) bool {
	_, err := time.ParseDuration(word)
	return err == nil && word != "0"
}

// unknownFlag never repeats a value: it may be a secret.
func unknownFlag(word, name string, known map[string]flag) error {
	shown := word[:len(word)-len(strings.TrimLeft(word, "-"))] + name
	var names []string
	for _, f := range known {
		names = append(names, f.name)
	}
	slices.Sort(names)
	if near := nearest(name, names); near != "" {
		return usagef("unknown flag %s, did you mean --%s?", shown, near)
	}
	return usagef("unknown flag %s (an argument that begins with - stands after --)", shown)
}
