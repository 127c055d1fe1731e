package cli

import (
	"context"
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

//go:embed completion
var scripts embed.FS

// shells are those that a script exists for.
func shells() []string { return []string{"bash", "zsh", "fish"} }

func completionCommand() *urfave.Command {
	return &urfave.Command{
		Name: "completion", Usage: "print a shell completion script", ArgsUsage: "SHELL",
		Description: help("SHELL is bash, zsh or fish. Commands, flags, models, endpoints, nodes, releases and keys are completed;\n"+
			"for all but the first two, gatewayctl asks the control plane.",
			"gatewayctl completion bash", "gatewayctl completion zsh", "gatewayctl completion fish"),
		Action: run(completion),
		BashComplete: completer(func(_ context.Context, _ *adminclient.Client, args []string) []string {
			if len(args) > 0 {
				return nil
			}
			return shells()
		}),
	}
}

func completion(_ context.Context, in *invocation) error {
	shell := in.args[0]
	if !slices.Contains(shells(), shell) {
		return usagef("completion: SHELL must be one of %s, got %q", strings.Join(shells(), ", "), shell)
	}
	text, err := scripts.ReadFile("completion/gatewayctl." + shell)
	if err != nil {
		return fmt.Errorf("read the embedded script: %w", err)
	}
	v := struct {
		Shell  string `json:"shell"`
		Script string `json:"script"`
	}{shell, string(text)}
	return in.show(v, func(w io.Writer) error {
		_, err := io.WriteString(w, v.Script)
		return err
	})
}
