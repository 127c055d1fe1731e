package app

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// ReloadOnHangup reloads the configuration at each SIGHUP until stop is called.
func (a *App) ReloadOnHangup(ctx context.Context) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range hangups {
			a.Reload(ctx, "SIGHUP")
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}
