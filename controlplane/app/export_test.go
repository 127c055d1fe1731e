package app

import (
	"context"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/controlplane/server"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// SpentOf is spentOf.
func SpentOf(ctx context.Context, log server.LogStore, table *wire.KeyTable, d *limits.Definition) (int64, error) {
	return spentOf(ctx, log, table, d)
}

// UsageWatch is a usageWatch for tests.
type UsageWatch struct{ usageWatch }

// Saw is what was found at a time.
func (u *UsageWatch) Saw(sinks []bus.Sink, fills []bus.Fill, frames uint64, now time.Time) {
	u.saw(sinks, fills, frames, now)
}

// Problems are those at a time.
func (u *UsageWatch) Problems(now time.Time) []adminapi.Problem { return u.problems(now) }
