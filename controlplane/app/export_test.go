package app

import (
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/bus"
)

// UsageWatch is a usageWatch for tests.
type UsageWatch struct{ usageWatch }

// Saw is what was found at a time.
func (u *UsageWatch) Saw(sinks []bus.Sink, fills []bus.Fill, frames uint64, now time.Time) {
	u.saw(sinks, fills, frames, now)
}

// Problems are those at a time.
func (u *UsageWatch) Problems(now time.Time) []adminapi.Problem { return u.problems(now) }
