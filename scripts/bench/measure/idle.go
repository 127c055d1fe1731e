package measure

import (
	"context"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/load"
)

// idle notes what a stream takes in memory while nothing comes.
func (m *run) idle(ctx context.Context, t *fleet.Target) error {
	before, err := t.Process.RSS()
	if err != nil {
		return err
	}
	s, err := load.OpenStreams(ctx, request(idle, t), idleStreams, time.Second)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // closed below; this is for errors before
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	after, err := t.Process.RSS()
	if err != nil {
		return err
	}
	m.add(Row{Measure: idle, Title: "memory per idle stream", Unit: "KiB"}, t.Name, float64(after-before)/1024/idleStreams)
	return s.Close()
}
