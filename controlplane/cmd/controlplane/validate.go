package main

import (
	"context"
	"fmt"
	"io"

	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
)

func readValidate(r *env.Reader) runner {
	files := settings.Files(r)
	return func(_ context.Context, out io.Writer) error { return validate(files, out) }
}

// validate prints what there is to note; the problems are the error.
func validate(files publish.Files, out io.Writer) error {
	summary, warnings, err := files.Check()
	for _, w := range warnings {
		if _, err := fmt.Fprintln(out, "note:", w); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "valid:", summary)
	return err
}
