package simulation

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	granting "github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/shared/wire"
)

// reportTo does what limits.Link does, with a granter that takes its time to answer.
func reportTo(ctx context.Context, g *granting.Granter, r *limits.Registry, clock limits.Clock) {
	const trip, gap, tick = 7 * time.Millisecond, 5 * time.Millisecond, 50 * time.Millisecond
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-r.Kick():
		case <-time.After(tick):
		}
		sent := clock.Now()
		r.Turn(sent)
		if report := r.Report(sent, false); report != nil {
			time.Sleep(trip)
			if reply := g.Report(time.Now(), "a", report); reply != nil {
				r.Apply(reply, sent, clock.Now())
			}
		}
		time.Sleep(gap)
	}
}

// A key that was quiet and then sends many requests is refused none of them while
// there is room for all: what is granted is for all that wait, not for one of them
// at a time, and of all limits that lack it.
func TestABurstIsNotRefused(t *testing.T) {
	const burst, cost = 1000, 1_200_000_000
	list := []wire.Limit{
		{Kind: wire.LimitRPM, Value: 3 * burst},
		{Kind: wire.LimitTPM, Value: 3 * burst * 1000},
		{Kind: wire.LimitConcurrency, Value: 3 * burst},
		{Kind: wire.LimitBudget, Reset: wire.ResetMonth, Value: 3 * burst * cost},
	}
	for name, pause := range map[string]time.Duration{"within a second": time.Millisecond, "at once": 0} {
		for quiet := range 6 { // the rate is measured over 200 ms: begin anywhere in it
			synctest.Test(t, func(t *testing.T) {
				clock, r := limits.NewClock(), limits.NewRegistry(1)
				g := granting.New(time.Now(), 1, grace, granting.State{})
				var defs []granting.Definition
				var counters []*limits.Counter
				r.Begin()
				for i := range list {
					defs = append(defs, granting.Definition{Limit: list[i], Holder: wire.HolderKey, ID: "k"})
					counters = append(counters, r.Counter(wire.HolderKey, "k", &list[i]))
				}
				r.End()
				g.Define(time.Now(), defs, true)
				g.Base(time.Now(), &defs[3], 0)
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { reportTo(ctx, g, r, clock) })
				var refused atomic.Pointer[limits.Refusal]
				var count atomic.Int64
				ask := func() {
					var h limits.Hold // a stream that goes on
					if p := r.Admit(counters, &limits.Need{Tokens: 1000, Cost: cost}, clock, &h); p != nil {
						refused.Store(p)
						count.Add(1)
					}
				}
				ask()
				time.Sleep(20*time.Second + time.Duration(quiet)*40*time.Millisecond)
				var load sync.WaitGroup
				for range burst {
					load.Go(ask)
					time.Sleep(pause)
				}
				load.Wait()
				if p := refused.Load(); p != nil {
					t.Errorf("%s: %d of %d were refused, the last by %s with %d left", name, count.Load(), burst, p.Limit.Name(), p.Left)
				}
				cancel()
				running.Wait()
			})
		}
	}
}
