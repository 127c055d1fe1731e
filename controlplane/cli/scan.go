package cli

import (
	"slices"
	"strings"
	"time"
)

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
