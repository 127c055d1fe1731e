package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/config"
)

func validateCommand() *urfave.Command {
	return &urfave.Command{
		Name: "validate", Usage: "check configuration files offline",
		Description: help("Reads the files named by MODELS_CONFIG and ROUTING_CONFIG and reports everything that is wrong with them.\n"+
			"${VAR} is expanded from the environment of this command. Exits with 1 if there is an error.",
			"gatewayctl validate", "gatewayctl validate --models config/models.yaml --routing config/routing.yaml"),
		Flags: []urfave.Flag{
			textFlag("models", "check `FILE` instead of MODELS_CONFIG", config.DefaultModelsPath),
			textFlag("routing", "check `FILE` instead of ROUTING_CONFIG", config.DefaultRoutingPath),
			switchFlag("yes", "accept shadows onto paid endpoints, as apply --yes does"),
		},
		Action: run(validate),
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
	v, problems, err := judge(modelsPath, routingPath, in.opts.Env, in.Bool("yes"))
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
func judge(modelsPath, routingPath string, env func(string) (string, bool), paidShadows bool) (verdict, config.Problems, error) {
	v := verdict{Problems: []note{}, Warnings: []note{}}
	files, warnings, err := config.Load(modelsPath, routingPath, env)
	if err == nil {
		var out compile.Output
		if out, err = compile.Snapshot(compile.Input{Files: files, PaidShadows: paidShadows, Now: time.Now()}); err == nil {
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
	_, err := fmt.Fprintf(w, "%s is valid: %d %s, %d %s\n", path, v.Models, plural("model", v.Models), v.Endpoints, plural("endpoint", v.Endpoints))
	return err
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
