package config

import (
	_ "embed" // settings.txt
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// expansion is a string of the file with its variables filled in.
type expansion struct {
	text string
	// empty are the variables without a default that gave nothing.
	empty []string
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	secretName   = regexp.MustCompile(`(?i)(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)S?[0-9_]*$`)
	secretRef    = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)
	defaultedRef = regexp.MustCompile(`^\$\{[A-Za-z0-9_]+:?-[^}]*\}$`)
)

// variables is what the files take from the environment.
type variables struct {
	lookup func(string) (string, bool)
	// filled are the variables whose value went into some text, secrets those
	// that travel as names; a variable must not be both.
	filled, secrets map[string]Place
	// allowed says which variables may be used; nil allows all but the gateway's own.
	allowed func(name string) bool
}

func newVariables(lookup func(string) (string, bool)) variables {
	return variables{lookup: lookup, filled: make(map[string]Place), secrets: make(map[string]Place)}
}

// ownSettings has the name of every setting of the gateway's processes, one a
// line. A test of deploy/standalone writes it from the settings themselves.
//
//go:embed settings.txt
var ownSettings string

// own reports whether a variable is a setting of the gateway itself, or the
// file that holds one.
func own(name string) bool {
	name = strings.TrimSuffix(name, "_FILE")
	return name != "" && strings.Contains("\n"+ownSettings, "\n"+name+"\n")
}

// check refuses variables that a configuration may not use at all, whether it
// shows their value or sends it somewhere.
func (vs *variables) check(name string) error {
	switch {
	case own(name):
		return fmt.Errorf("${%s} is a setting of the gateway and cannot be used in configuration files", name)
	case vs.allowed != nil && !vs.allowed(name):
		return fmt.Errorf("${%s} is not allowed in a submitted configuration: it is neither used in the control plane's own files nor listed in CONFIG_VARIABLES", name)
	}
	return nil
}

// names returns all variables that were used.
func (vs *variables) names() []string {
	all := maps.Clone(vs.filled)
	maps.Copy(all, vs.secrets)
	return slices.Sorted(maps.Keys(all))
}

// expand fills in ${VAR} and ${VAR:-default}; $${ stands for a literal ${. A
// variable that is set to nothing counts as unset. Values are not expanded
// again.
func (vs *variables) expand(text string, at Place) (expansion, error) {
	var out strings.Builder
	var x expansion
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			out.WriteString(rest)
			break
		}
		if escaped, ok := strings.CutSuffix(before, "$"); ok {
			out.WriteString(escaped + "${")
			rest = after
			continue
		}
		out.WriteString(before)
		ref, tail, closed := strings.Cut(after, "}")
		if !closed {
			return x, fmt.Errorf("the ${ at character %d is not closed", len([]rune(text[:len(text)-len(after)]))-1)
		}
		filled, err := vs.fill(ref, at)
		if err != nil {
			return x, err
		}
		out.WriteString(filled.text)
		x.empty = append(x.empty, filled.empty...)
		rest = tail
	}
	x.text = out.String()
	return x, nil
}

// fill resolves what stands between the braces.
func (vs *variables) fill(ref string, at Place) (expansion, error) {
	name, fallback, hasDefault := strings.Cut(ref, ":-")
	switch {
	case strings.Contains(fallback, "${"):
		return expansion{}, errors.New("the default of a variable cannot contain ${...}")
	case !variableName.MatchString(name):
		return expansion{}, fmt.Errorf("${%s} is not a variable: use ${NAME} or ${NAME:-default}, and $${ for a literal ${", shorten(ref))
	}
	if err := vs.check(name); err != nil {
		return expansion{}, err
	}
	if secretName.MatchString(name) {
		return expansion{}, fmt.Errorf("${%s} would publish a secret: variables whose names end in KEY, TOKEN, SECRET, PASSWORD or CREDENTIALS can only be an api_key or the whole value of an extra_headers or extra_body entry", name)
	}
	if _, seen := vs.filled[name]; !seen {
		vs.filled[name] = at
	}
	if text, ok := vs.lookup(name); ok && text != "" {
		return expansion{text: text}, nil
	}
	if hasDefault {
		return expansion{text: fallback}, nil
	}
	return expansion{empty: []string{name}}, nil
}

// leaks finds secrets that would be published: the content of a release is
// visible to many, which is why it carries only the names of secrets.
func (vs *variables) leaks() Problems {
	var out Problems
	for _, name := range slices.Sorted(maps.Keys(vs.secrets)) {
		if at, leaked := vs.filled[name]; leaked {
			out = append(out, at.Problem("${%s} would publish a secret: %[3]s is a secret on line %[2]d and cannot be used elsewhere", name, vs.secrets[name].Line, name))
		}
	}
	return out
}

// unset is "A is not set" or "A and B are not set".
func unset(names []string) string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if len(names) == 1 {
		return names[0] + " is not set"
	}
	return strings.Join(names, " and ") + " are not set"
}
