package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/shared/env"
)

func readRestored(r *env.Reader) runner {
	db := readDatabase(r)
	return func(ctx context.Context, out io.Writer) (err error) {
		s, err := controlstate.Open(ctx, db)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		if err := s.Restored(ctx, time.Now()); err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, "what the database has counts from now on, also where later releases and keys were seen; (re)start the daemons")
		return err
	}
}
