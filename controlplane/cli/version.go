package cli

import (
	"context"
	"fmt"
	"io"

	urfave "github.com/urfave/cli/v2"
)

func versionCommand() *urfave.Command {
	return &urfave.Command{
		Name: "version", Usage: "print the version of gatewayctl",
		Description: help("The control plane's version is in gatewayctl status.", "gatewayctl version", "gatewayctl version -o json"),
		Action: run(func(_ context.Context, in *invocation) error {
			v := struct {
				Version string `json:"version"`
			}{in.opts.Version}
			return in.show(v, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, "gatewayctl version "+v.Version)
				return err
			})
		}),
	}
}
