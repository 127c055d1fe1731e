package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

func applyCommand() *urfave.Command {
	return &urfave.Command{
		Name: "apply", Usage: "roll out the configuration files to all nodes",
		Description: help("Without --models and --routing the control plane reads its own files again. A file with an error changes nothing.\n"+
			"Weight overrides are kept. Before models are removed, or more than doubled, it asks; without a terminal it then needs --yes.\n"+
			"A shadow onto a paid endpoint always needs --yes. With --canary, a few nodes get the configuration first.",
			"gatewayctl apply --dry-run", "gatewayctl apply --wait --reason 'two more models'",
			"gatewayctl apply --canary node-1 --for 10m --guard 'errors<2%,ttft_p95<1.5x'"),
		Flags: slices.Concat(fileFlags("send `FILE` instead of the control plane's own"), canaryFlags(), changeFlags(),
			[]urfave.Flag{switchFlag("yes", "do not ask before models are removed or more than doubled, and accept shadows onto paid endpoints")}),
		Action: run(apply),
	}
}

func diffCommand() *urfave.Command {
	return &urfave.Command{
		Name: "diff", Usage: "show what apply would change",
		Description: help("", "gatewayctl diff", "gatewayctl diff -o json"),
		Flags:       append(fileFlags("compare `FILE` instead of the control plane's own"), switchFlag("yes", "accept shadows onto paid endpoints, as apply --yes does")),
		Action:      run(func(ctx context.Context, in *invocation) error { return in.apply(ctx, true) }),
	}
}

func fileFlags(usage string) []urfave.Flag {
	return []urfave.Flag{textFlag("models", usage+" models.yaml", ""), textFlag("routing", usage+" routing.yaml", "")}
}

func apply(ctx context.Context, in *invocation) error { return in.apply(ctx, in.Bool("dry-run")) }

func (in *invocation) apply(ctx context.Context, dry bool) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	if err := in.checkCanary(); err != nil {
		return err
	}
	a := adminapi.Application{Change: in.change()}
	a.DryRun, a.PaidShadows = dry, in.Bool("yes")
	if err := in.readApplication(&a); err != nil {
		return err
	}
	if !dry && !in.Bool("yes") {
		if err := in.confirmApply(ctx, client, &a); err != nil {
			return err
		}
	}
	if in.IsSet("canary") {
		return in.startCanary(ctx, client, a)
	}
	var made adminapi.ApplyResult
	err = in.during(ctx, client, a.Wait(), func() error {
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
	stuck := in.warnOfProblems(ctx, client, a.Wait())
	if err := in.complete(a.Wait(), fmt.Sprintf("release %d", made.Release), made.Nodes); err != nil {
		return err // it names the nodes
	}
	return stuck
}

func (in *invocation) readApplication(a *adminapi.Application) (err error) {
	if a.DryRun && a.Wait() > 0 {
		return usagef("--wait and --dry-run are mutually exclusive")
	}
	if a.Models, err = readText("models", in.text("models")); err != nil {
		return err
	}
	a.Routing, err = readText("routing", in.text("routing"))
	return err
}

// readText returns the content of the file that a flag names, nil for none.
func readText(name, path string) (*string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", name, err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return nil, fmt.Errorf("--%s: %s is empty", name, path)
	}
	content := string(text)
	return &content, nil
}

func (in *invocation) writeApplied(w io.Writer, dry bool, made adminapi.ApplyResult) error {
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
	return writeResults(w, in.look(), made.Nodes)
}
