package cli

import (
	"context"
	"embed"
	"fmt"
	"io"
)

//go:embed completion
var scripts embed.FS

func completionCommand() *command {
	return &command{
		name: "completion", about: "print the shell code that completes commands", args: "SHELL",
		details: "SHELL is bash or zsh. The shell then completes commands, flags, models, endpoints, nodes, releases and\n" +
			"keys; for all but the first two it asks the control plane.",
		examples: []string{"gatewayctl completion bash", "gatewayctl completion zsh"},
		run:      completion,
		suggest: func(_ context.Context, _ *invocation, args []string) []string {
			if len(args) > 0 {
				return nil
			}
			return []string{"bash", "zsh"}
		},
	}
}

func completion(_ context.Context, in *invocation) error {
	shell := in.args[0]
	if shell != "bash" && shell != "zsh" {
		return usagef("completion: SHELL must be bash or zsh, got %q", shell)
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
