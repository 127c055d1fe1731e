package logs

import (
	"context"
	"log/slog"
)

// Stopping logs the end of ctx with its cause, which is the signal for a
// context of signal.NotifyContext. The function that it returns is to be
// called when everything has ended; it logs that too, if ctx was why.
func Stopping(ctx context.Context, log *slog.Logger) (stopped func()) {
	ignore := context.AfterFunc(ctx, func() {
		log.Info("stopping: requests in flight finish first; a second signal stops at once", slog.String("cause", context.Cause(ctx).Error()))
	})
	return func() {
		if !ignore() {
			log.Info("stopped")
		}
	}
}
