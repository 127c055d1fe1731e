package cli

import (
	"context"
	"fmt"
	"io"
)

func versionCommand() *command {
	return &command{
		name: "version", about: "print the version of this program",
		details:  "gatewayctl status prints that of the control plane.",
		examples: []string{"gatewayctl version", "gatewayctl version -o json"},
		run: func(_ context.Context, in *invocation) error {
			v := struct {
				Version string `json:"version"`
			}{in.opts.Version}
			return in.show(v, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, "gatewayctl "+v.Version)
				return err
			})
		},
	}
}
