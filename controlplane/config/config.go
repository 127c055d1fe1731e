// Package config reads models.yaml and routing.yaml. It turns the two files
// into typed values or into the complete list of what is wrong with them, each
// mistake with file, line, key and what is allowed there. A file with one
// mistake is refused as a whole; half a configuration never leaves this package.
//
// Values are final: defaults are filled in, routes carry what they inherit from
// their model, and ${VAR} is replaced everywhere except in api_key and
// api_keys, which name variables that each node looks up by itself.
package config

import "slices"

// The paths that are read when nothing else is configured.
const (
	DefaultModelsPath  = "config/models.yaml"
	DefaultRoutingPath = "config/routing.yaml"
)

// Files is the content of both files.
type Files struct {
	Models  Models
	Routing Routing
	// Variables are the environment variables that they refer to, sorted.
	Variables []string
}

// Source is a file that was already read.
type Source struct {
	// Name stands in front of every problem and warning.
	Name string
	// Text is the YAML. No text means an empty file.
	Text []byte
}

// Load reads both files. env looks up the variables of ${VAR}; it is never
// asked for an api_key.
//
// A file that does not exist is a problem, with one exception: routingPath
// equal to DefaultRoutingPath. That file is optional, and without it nothing is
// probed and no weight is changed.
//
// The error is a Problems with everything that is wrong with both files. The
// warnings are valid in either case.
func Load(modelsPath, routingPath string, env func(string) (string, bool)) (*Files, []Warning, error) {
	models, missing := readModelsSource(modelsPath)
	routing, unread := readRoutingSource(routingPath)
	if len(missing)+len(unread) == 0 {
		return Parse(models, routing, env)
	}
	// the file that can be read is checked all the same: one run tells everything
	r := newReading(env)
	if len(missing) == 0 {
		r.models(models)
	}
	if len(unread) == 0 {
		r.routing(routing)
	}
	warnings, problems := r.result()
	return nil, warnings, slices.Concat(missing, unread, problems)
}

// Parse is Load for text at hand. A routing Source without text is as good as
// no routing.yaml; models without text is a problem.
func Parse(models, routing Source, env func(string) (string, bool)) (*Files, []Warning, error) {
	return parse(newReading(env), models, routing)
}

// ParseSent is Parse for configuration that someone sent: it may refer to
// variables that are allowed, and to no other.
func ParseSent(models, routing Source, env func(string) (string, bool), allowed func(name string) bool) (*Files, []Warning, error) {
	r := newReading(env)
	r.vars.allowed = allowed
	return parse(r, models, routing)
}

func parse(r *reading, models, routing Source) (*Files, []Warning, error) {
	files := &Files{Models: r.models(models), Routing: r.routing(routing)}
	files.Variables = r.vars.names()
	r.report(r.vars.leaks()...)
	if len(r.problems) == 0 {
		r.warn(unmatched(&files.Routing.Split, files.Models.Models)...)
	}
	warnings, problems := r.result()
	if len(problems) > 0 {
		return nil, warnings, problems
	}
	return files, warnings, nil
}
