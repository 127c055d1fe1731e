// Package env reads what a process is told by its environment and its flags.
// Each setting is one variable; the flag of the same name, in lower case with
// dashes (DB_BACKEND, --db-backend), wins over it. A Reader hands out typed
// values and collects every mistake, so that one run tells all of them.
package env

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Reader reads settings. Make one with New, ask for every setting, then ask
// Err once. A variable that is set to nothing counts as not set. It is not safe
// for concurrent use.
type Reader struct {
	lookup   func(string) (string, bool)
	flags    map[string]string
	help     bool
	settings []setting
	problems []error
}

// setting is one variable that was asked for.
type setting struct {
	name, takes, def, about string
}

// New returns a reader of the variables that lookup knows (os.LookupEnv) and
// the flags in args: --name value or --name=value; a flag without a value is
// "true". -h and --help are noted for Help.
func New(args []string, lookup func(string) (string, bool)) *Reader {
	r := &Reader{lookup: lookup, flags: make(map[string]string)}
	for len(args) > 0 {
		args = args[r.flag(args):]
	}
	return r
}

// flag reads the first flag of args and returns how many of them it took.
func (r *Reader) flag(args []string) int {
	word := args[0]
	if word == "-h" || word == "--help" {
		r.help = true
		return 1
	}
	name, isFlag := strings.CutPrefix(word, "-")
	name = strings.TrimPrefix(name, "-")
	if !isFlag || name == "" {
		r.problemf("unexpected argument %q: settings are flags such as --log-level debug", word)
		return 1
	}
	taken := 1
	name, value, given := strings.Cut(name, "=")
	if !given {
		value = "true"
		if len(args) > 1 && !strings.HasPrefix(args[1], "--") {
			value, taken = args[1], 2
		}
	}
	if _, twice := r.flags[name]; twice {
		r.problemf("--%s is given twice", name)
	}
	r.flags[name] = value
	return taken
}

// Help reports whether the flags ask for help.
func (r *Reader) Help() bool { return r.help }

// Lookup returns a variable as it stands in the environment. Flags do not
// count: it is for ${NAME} in files.
func (r *Reader) Lookup(name string) (string, bool) { return r.lookup(name) }

// Problemf adds a mistake that the caller found, such as two settings that
// exclude each other.
func (r *Reader) Problemf(format string, args ...any) { r.problemf(format, args...) }

// Err returns every mistake found so far, one a line, flags included that no
// setting has asked for; nil if there is none.
func (r *Reader) Err() error {
	problems := slices.Clone(r.problems)
	known := r.flagNames()
	for _, name := range sorted(r.flags) {
		if !slices.Contains(known, name) {
			problems = append(problems, fmt.Errorf("--%s is not known; --help lists what is", name))
		}
	}
	return errors.Join(problems...)
}

func (r *Reader) problemf(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

// value returns the text of a setting, where it came from, and whether it was
// given at all. A name may list further names of the same setting behind bars,
// "D1_DUAL_WRITE|DB_DUAL_WRITE"; the first that is given counts.
func (r *Reader) value(names, takes, def, about string) (text, from string, given bool) {
	r.settings = append(r.settings, setting{names, takes, def, about})
	all := strings.Split(names, "|")
	for _, name := range all {
		if text, ok := r.flags[flagName(name)]; ok {
			return text, "--" + flagName(name), true
		}
	}
	for _, name := range all {
		if text, ok := r.lookup(name); ok && strings.TrimSpace(text) != "" {
			return strings.TrimSpace(text), name, true
		}
	}
	return "", all[0], false
}

func flagName(variable string) string {
	return strings.ReplaceAll(strings.ToLower(variable), "_", "-")
}

func (r *Reader) flagNames() []string {
	var names []string
	for _, s := range r.settings {
		for name := range strings.SplitSeq(s.name, "|") {
			names = append(names, flagName(name))
		}
	}
	return names
}
