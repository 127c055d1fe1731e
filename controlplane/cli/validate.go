package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/config"
)

func validateCommand() *command {
	return &command{
		name: "validate", about: "check configuration files without a control plane",
		details: "Reads the files that MODELS_CONFIG and ROUTING_CONFIG name and tells everything that is wrong with them.\n" +
			"${VAR} is looked up in the environment of this command. Exits with 1 if there is a mistake.",
		examples: []string{"gatewayctl validate", "gatewayctl validate --models config/models.yaml --routing config/routing.yaml"},
		flags: []flag{
			{name: "models", about: "check `FILE` instead of MODELS_CONFIG", def: config.DefaultModelsPath},
			{name: "routing", about: "check `FILE` instead of ROUTING_CONFIG", def: config.DefaultRoutingPath},
		},
		run: validate,
	}
}

// verdict is what validate prints.
type verdict struct {
	Valid     bool   `json:"valid"`
	Models    int    `json:"models"`
	Endpoints int    `json:"endpoints"`
	Problems  []note `json:"problems"`
	Warnings  []note `json:"warnings"`
}

// note is a problem or a warning.
type note struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

func validate(_ context.Context, in *invocation) error {
	modelsPath, _ := in.setting("models", "MODELS_CONFIG")
	routingPath, _ := in.setting("routing", "ROUTING_CONFIG")
	modelsPath, routingPath = cmp.Or(modelsPath, config.DefaultModelsPath), cmp.Or(routingPath, config.DefaultRoutingPath)
	v, problems, err := judge(modelsPath, routingPath, in.opts.Env)
	if err != nil {
		return err
	}
	err = in.show(v, func(w io.Writer) error { return in.writeVerdict(w, v, modelsPath) })
	if err != nil || v.Valid {
		return err
	}
	if in.format() == formatTable {
		for _, p := range problems {
			_, _ = fmt.Fprintln(in.opts.Stderr, printable(p.String()))
		}
	}
	return fmt.Errorf("%d %s", len(problems), plural("problem", len(problems)))
}

// judge reads and compiles the files. The error is for what is not their fault.
func judge(modelsPath, routingPath string, env func(string) (string, bool)) (verdict, config.Problems, error) {
	v := verdict{Problems: []note{}, Warnings: []note{}}
	files, warnings, err := config.Load(modelsPath, routingPath, env)
	if err == nil {
		var out compile.Output
		if out, err = compile.Snapshot(compile.Input{Files: files, Now: time.Now()}); err == nil {
			v.Valid, v.Models = true, len(out.Snapshot.Models)
		}
		for i := range out.Snapshot.Models {
			v.Endpoints += len(out.Snapshot.Models[i].Endpoints)
		}
	}
	for _, w := range warnings {
		v.Warnings = append(v.Warnings, note{w.File, w.Line, w.Key, w.Message})
	}
	problems, ok := errors.AsType[config.Problems](err)
	if err != nil && !ok {
		return v, nil, fmt.Errorf("check %s: %w", modelsPath, err)
	}
	for _, p := range problems {
		v.Problems = append(v.Problems, note(p))
	}
	return v, problems, nil
}

func (in *invocation) writeVerdict(w io.Writer, v verdict, path string) error {
	for _, n := range v.Warnings {
		place := config.Place{File: n.File, Line: n.Line, Key: n.Key}
		_, _ = fmt.Fprintln(in.opts.Stderr, "warning: "+printable(place.String()+": "+n.Message))
	}
	if !v.Valid {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s is good: %d %s, %d %s\n", path, v.Models, plural("model", v.Models), v.Endpoints, plural("endpoint", v.Endpoints))
	return err
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
