package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

const (
	// ledgerEvery is how often the numbers of usage events are compared with rows.
	ledgerEvery = 10 * time.Minute
	// ledgerTime bounds one comparison, ledgerSpan is how far back it looks, and
	// events younger than ledgerDelay may still be on their way.
	ledgerTime  = time.Minute
	ledgerSpan  = 24 * time.Hour
	ledgerDelay = 5 * time.Minute
)

// checkLedger names in the log what usage events have no row.
func (a *App) checkLedger(ctx context.Context) error {
	told := map[requestlog.Gap]bool{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(ledgerEvery):
		}
		if a.o.LogStore == nil {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, ledgerTime)
		gaps, err := a.o.LogStore.Gaps(bounded, time.Now().Add(-ledgerSpan), time.Now().Add(-ledgerDelay))
		cancel()
		if err != nil {
			continue // /health reports the store
		}
		missing := uint64(0)
		for _, g := range gaps {
			missing += g.Last - g.First + 1
		}
		a.missing.Store(int64(missing)) //nolint:gosec // a count of events
		for _, g := range gaps {
			if !told[g] {
				a.o.Log.WarnContext(ctx, "usage events have no rows: lost, not delivered yet, or dead letters",
					slog.String("node", g.Node), slog.String("epoch", g.Epoch), slog.Uint64("first", g.First), slog.Uint64("last", g.Last))
			}
		}
		clear(told)
		for _, g := range gaps {
			told[g] = true
		}
	}
}
