// Package env reads the settings of a process from its environment, its .env
// file and its flags. The settings are a struct: each field is one variable,
// described by its tags; the flag of the same name, in lower case with dashes
// (DB_BACKEND, --db-backend), wins over the variable.
//
//	type Settings struct {
//		Port int    `env:"PORT" default:"8080" min:"0" max:"65535" help:"port of the API"`
//		Log  logs.Settings
//	}
//
// Fields that are structs are groups of settings. Tags of a variable:
//
//	env      its name; older names of the same setting follow behind bars
//	default  its default, in the form in which a user would write it
//	help     one line for --help and .env.example
//	min, max the bounds of a number or a duration
//	oneof    the words that are allowed, with commas
//	strong   "true": a secret that must be hard to guess
//
// Tags of a group: section is its heading in .env.example; defaults replaces
// defaults of its variables for this process ("HOST=127.0.0.1 STATE_DIR=data").
package env

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Lookup finds the value of a variable, as os.LookupEnv does.
type Lookup func(name string) (value string, found bool)

// ErrHelp is the error of Parse when the flags ask for help.
var ErrHelp = errors.New("help requested")

// Checker is a group of settings with rules beyond those of single values, such
// as two that must be set together. Check reports each violation.
type Checker interface {
	Check(problem func(format string, args ...any))
}

// Parse fills the struct that settings points to. The flags in args are --name
// value or --name=value; a switch needs no value. A variable that is set to
// nothing counts as not set. The error lists every mistake, one a line.
func Parse(settings any, args []string, lookup Lookup) error {
	p := &parser{fields: fieldsOf(settings), lookup: lookup}
	if help := p.readFlags(args); help {
		return ErrHelp
	}
	for i := range p.fields {
		p.fill(&p.fields[i])
	}
	for _, g := range groupsOf(reflect.ValueOf(settings).Elem()) {
		g.Check(p.problemf)
	}
	return errors.Join(p.problems...)
}

type parser struct {
	fields   []field
	lookup   Lookup
	flags    map[string]string
	problems []error
}

func (p *parser) problemf(format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf(format, args...))
}

// readFlags fills p.flags and reports whether help is asked for.
func (p *parser) readFlags(args []string) (help bool) {
	known := make(map[string]*field)
	for i := range p.fields {
		for _, name := range p.fields[i].names() {
			known[flagName(name)] = &p.fields[i]
		}
	}
	p.flags = make(map[string]string)
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if word == "-h" || word == "--help" {
			return true
		}
		name, isFlag := strings.CutPrefix(word, "-")
		name = strings.TrimPrefix(name, "-")
		if !isFlag || name == "" {
			p.problemf("unexpected argument %q: settings are flags such as --log-level debug", word)
			continue
		}
		name, value, given := strings.Cut(name, "=")
		f := known[name]
		if !given && len(args) > 0 && !isFlagName(args[0]) {
			value, given = args[0], true
			args = args[1:]
		}
		_, twice := p.flags[name]
		switch {
		case f == nil:
			p.problemf("unknown flag --%s: --help lists the flags", name)
			continue
		case twice:
			p.problemf("--%s is specified more than once", name)
		case !given && f.isSwitch():
			value = "true"
		case !given:
			p.problemf("--%s needs a value", name)
			continue
		}
		p.flags[name] = value
	}
	return false
}

// fill sets one field to its flag, its variable or its default.
func (p *parser) fill(f *field) {
	// a default that does not fit is a mistake in the struct, which every start shows
	if f.Default != "" {
		if err := f.set(f.Default); err != nil {
			panic(fmt.Sprintf("env: default of %s %s", f.Name, err))
		}
	}
	text, from, given := p.value(f)
	if !given {
		return
	}
	if err := f.set(text); err != nil {
		p.problemf("%s %w", from, err)
	}
}

// value returns the text of a setting, where it came from, and whether it was
// given at all.
func (p *parser) value(f *field) (text, from string, given bool) {
	for _, name := range f.names() {
		if text, ok := p.flags[flagName(name)]; ok {
			return text, "--" + flagName(name), true
		}
	}
	for _, name := range f.names() {
		if text, ok := p.lookup(name); ok && strings.TrimSpace(text) != "" {
			return strings.TrimSpace(text), name, true
		}
	}
	return "", "", false
}

// isFlagName tells --port and -h from values, -5 among them.
func isFlagName(word string) bool {
	return len(word) > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9')
}

func flagName(variable string) string {
	return strings.ReplaceAll(strings.ToLower(variable), "_", "-")
}

// groupsOf returns the groups in v that have a Check, inner ones first.
func groupsOf(v reflect.Value) (out []Checker) {
	for i := range v.NumField() {
		if isGroup(v.Type().Field(i)) {
			out = append(out, groupsOf(v.Field(i))...)
		}
	}
	if c, ok := reflect.TypeAssert[Checker](v.Addr()); ok {
		out = append(out, c)
	}
	return out
}
