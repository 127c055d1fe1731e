package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

// confirmApply asks before a file that removes models, or more than doubles
// them, goes to all nodes: it may be the wrong file. After a yes the application
// insists on the release that the answer was about.
func (in *invocation) confirmApply(ctx context.Context, client *adminclient.Client, a *adminapi.Application) error {
	trial := *a
	trial.DryRun, trial.WaitMS = true, 0
	would, err := client.Apply(ctx, trial)
	if err != nil {
		return err
	}
	what := drastic(would)
	if what == "" {
		return nil
	}
	if !in.opts.StdinTerminal {
		return fmt.Errorf("this %s; nothing was changed, repeat the command with --yes to apply it", what)
	}
	_, _ = fmt.Fprintf(in.opts.Stderr, "This %s. Apply it? [y/N] ", printable(what))
	answer, err := bufio.NewReader(io.LimitReader(in.opts.Stdin, 100)).ReadString('\n')
	if err != nil && answer == "" {
		_, _ = fmt.Fprintln(in.opts.Stderr)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		if a.IfRelease == 0 {
			a.IfRelease = would.Release
		}
		return nil
	}
	return errors.New("not confirmed; nothing was changed")
}

// shownModels is how many removed models the question names.
const shownModels = 10

// drastic says what about a change deserves a question, "" for nothing.
func drastic(would adminapi.ApplyResult) string {
	var parts []string
	if n := len(would.RemovedModels); n > 0 {
		names := strings.Join(would.RemovedModels[:min(n, shownModels)], ", ")
		if n > shownModels {
			names += fmt.Sprintf(" and %d more", n-shownModels)
		}
		parts = append(parts, fmt.Sprintf("removes %d of %d models: %s", n, would.ModelsBefore, names))
	}
	if would.ModelsBefore > 0 && would.ModelsAfter > 2*would.ModelsBefore {
		parts = append(parts, fmt.Sprintf("more than doubles the models, from %d to %d", would.ModelsBefore, would.ModelsAfter))
	}
	return strings.Join(parts, ", and ")
}
