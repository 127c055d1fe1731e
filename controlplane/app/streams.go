package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/hybridinference/gateway/shared/bus"
)

const (
	// ensureEvery is how often the streams of usage events are looked after.
	ensureEvery = 10 * time.Second
	ensureTime  = 5 * time.Second
)

// keepStreams makes the streams of usage events, and again should they vanish,
// so that nodes can hand over events before the first collector runs.
func (a *App) keepStreams(ctx context.Context) error {
	for {
		if a.conn.IsConnected() {
			bounded, cancel := context.WithTimeout(ctx, ensureTime)
			_, err := bus.EnsureUsage(bounded, a.conn, bus.Limits{Replicas: a.o.Replicas})
			cancel()
			if err != nil && ctx.Err() == nil {
				a.o.Log.Warn("the streams of usage events could not be made", slog.String("error", err.Error()))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(ensureEvery):
		}
	}
}
