package run

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Signals returns a context that ends with its parent, or at the first SIGINT or
// SIGTERM, with the signal as its cause. The second ends the process at once,
// with exit code 130 for SIGINT and 143 for SIGTERM. stop gives both back to the system.
func Signals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	// Both are read here: one that comes right after the other is not lost.
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, syscall.SIGINT, syscall.SIGTERM)
	stopped := make(chan struct{})
	go func() {
		select {
		case first := <-ch:
			cancel(fmt.Errorf("%s signal received", first))
		case <-stopped:
			return
		}
		select {
		case second := <-ch:
			// Its default action would not end a process that was started with the signal ignored, as in a shell's background.
			if n, ok := second.(syscall.Signal); ok {
				os.Exit(128 + int(n)) //nolint:forbidigo // as a shell reports it
			}
		case <-stopped:
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		close(stopped)
		cancel(nil)
	}
}
