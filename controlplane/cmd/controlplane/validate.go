package main

import (
	"context"
	"fmt"
	"io"

	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
)

// validate prints the warnings; the problems are the error.
func validate(_ context.Context, vars *env.Environment, s *settings.Validate, out io.Writer) error {
	files := s.Files.Publish(vars.Lookup, settings.Sent{})
	summary, warnings, err := files.Check()
	for _, w := range warnings {
		if _, err := fmt.Fprintln(out, "warning:", w); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "valid:", summary)
	return err
}
