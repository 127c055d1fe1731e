package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func applyCommand() *command {
	return &command{
		name: "apply", about: "bring the configuration files to all nodes",
		details: "Without --models and --routing the daemon reads its own files again. A file with a mistake changes nothing.\n" +
			"Weights that operators set stay.",
		examples: []string{"gatewayctl apply --dry-run", "gatewayctl apply --wait --reason 'two more models'"},
		flags: slices.Concat(fileFlags("send `FILE` instead of the daemon's own"), changeFlags(),
			[]flag{{name: "dry-run", takes: takesNothing, about: "only tell what would change"}}),
		run: apply,
	}
}

func diffCommand() *command {
	return &command{
		name: "diff", about: "tell what apply would change",
		examples: []string{"gatewayctl diff", "gatewayctl diff -o json"},
		flags:    fileFlags("compare `FILE` instead of the daemon's own"),
		run:      func(ctx context.Context, in *invocation) error { return in.apply(ctx, true) },
	}
}

func fileFlags(about string) []flag {
	return []flag{{name: "models", about: about + " models.yaml"}, {name: "routing", about: about + " routing.yaml"}}
}

func apply(ctx context.Context, in *invocation) error { return in.apply(ctx, in.on("dry-run")) }

func (in *invocation) apply(ctx context.Context, dry bool) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	a := adminclient.Application{DryRun: dry}
	if err := in.readApplication(&a); err != nil {
		return err
	}
	var made adminclient.ApplyResult
	err = in.during(ctx, client, a.Wait, func() error {
		made, err = client.Apply(ctx, a)
		return err
	})
	if err != nil {
		return err
	}
	if err := in.show(made, func(w io.Writer) error { return in.writeApplied(w, dry, made) }); err != nil {
		return err
	}
	if dry {
		return nil
	}
	return in.complete(a.Wait, fmt.Sprintf("release %d", made.Release), made.Nodes)
}

func (in *invocation) readApplication(a *adminclient.Application) (err error) {
	if a.Change, err = in.change(); err != nil {
		return err
	}
	if a.DryRun && a.Wait > 0 {
		return usagef("--wait has nothing to wait for after --dry-run")
	}
	if a.Models, err = readText("models", in.text("models")); err != nil {
		return err
	}
	a.Routing, err = readText("routing", in.text("routing"))
	return err
}

// readText returns the content of the file that a flag names, "" for none.
func readText(name, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", name, err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", fmt.Errorf("--%s: %s is empty", name, path)
	}
	return string(text), nil
}

func (in *invocation) writeApplied(w io.Writer, dry bool, made adminclient.ApplyResult) error {
	for _, warning := range made.Warnings {
		_, _ = fmt.Fprintln(in.opts.Stderr, "warning: "+printable(warning))
	}
	for _, change := range made.Changes {
		_, _ = fmt.Fprintln(w, printable(change))
	}
	switch {
	case len(made.Changes) == 0 && !made.Changed:
		_, _ = fmt.Fprintf(w, "no changes to release %d\n", made.Release)
	case !dry:
		_, _ = fmt.Fprintf(w, "release %d\n", made.Release)
	}
	return writeResults(w, in.colour(), made.Nodes)
}
