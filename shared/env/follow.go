package env

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// staleEvery is how often secret files are looked at.
const staleEvery = 2 * time.Second

// Hangups takes SIGHUP over from now on: it no longer ends the process.
func Hangups() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// Follow reads the .env file and the secret files again at each signal, and
// when a secret file has changed, until stop is called. reloaded is called after
// each signal, and after a secret file gave another value; why says which.
// Settings are those of the process, which it has read once: a change of one of
// them is logged as taking effect at the next start. Files that cannot be read
// are logged, and leave everything as it was.
func (e *Environment) Follow(ctx context.Context, signals <-chan os.Signal, settings any, log *slog.Logger, reloaded func(why string)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(staleEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				log.InfoContext(ctx, "SIGHUP: reloading .env and secret files")
				e.refresh(ctx, settings, log)
				reloaded("SIGHUP")
			case <-tick.C:
				if e.Stale() && e.refresh(ctx, settings, log) {
					reloaded("a secret file has changed")
				}
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// refresh reads the files again, logs what has changed, and reports whether
// anything has.
func (e *Environment) refresh(ctx context.Context, settings any, log *slog.Logger) bool {
	changed, err := e.Reload()
	if err != nil {
		log.ErrorContext(ctx, "reloading variables failed; no change was made", slog.String("error", err.Error()))
		return false
	}
	if len(changed) > 0 {
		log.InfoContext(ctx, "variables have changed", slog.String("variables", strings.Join(changed, ", ")))
	}
	if late := fixed(settings, changed); len(late) > 0 {
		log.WarnContext(ctx, "changed settings take effect after a restart", slog.String("variables", strings.Join(late, ", ")))
	}
	return len(changed) > 0
}

// fixed returns those of the changed variables that are settings.
func fixed(settings any, changed []string) (out []string) {
	for _, s := range Describe(settings) {
		for _, name := range append([]string{s.Name}, s.Aliases...) {
			if slices.Contains(changed, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
