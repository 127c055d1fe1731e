package cli

import (
	"context"
	"fmt"
	"io"

	urfave "github.com/urfave/cli/v2"
)

// build is the version with what else is known.
func (o *Options) build() string {
	if o.Build == "" {
		return o.Version
	}
	return o.Version + " (" + o.Build + ")"
}

func versionCommand() *urfave.Command {
	return &urfave.Command{
		Name: "version", Usage: "print the version of gatewayctl",
		Description: help("The control plane's version is in gatewayctl status.", "gatewayctl version", "gatewayctl version -o json"),
		Action: run(func(_ context.Context, in *invocation) error {
			v := struct {
				Version string `json:"version"`
				Build   string `json:"build,omitempty"`
			}{in.opts.Version, in.opts.Build}
			return in.show(v, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, "gatewayctl version "+in.opts.build())
				return err
			})
		}),
	}
}
