package measure

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
)

// Options say how much to measure.
type Options struct {
	Rounds int
	// Only are the measurements to make; none is all.
	Only []string
	// Busy is how long each load lasts.
	Busy time.Duration
	// Rate is the number of requests per second of the open loop.
	Rate float64
	// Progress is told what is being done, if it is not nil.
	Progress func(string)
}

// The marks of the node, in terms of the proxy's cost.
const (
	requestMark = 2.5
	chunkMark   = 2
	secureMark  = 1.3
)

// Run measures all targets of a fleet. The curve is of a burst's memory. Memory comes first, once, while the
// processes are young.
func Run(ctx context.Context, f *fleet.Fleet, o Options) ([]*Row, *Curve, error) {
	m := &run{Options: o, fleet: f, curve: Curve{Title: "RSS during a burst", Unit: "MiB", Step: sampleEvery, Values: map[string][]float64{}}}
	for _, rule := range scripts() {
		if err := f.Upstream.Set(ctx, rule); err != nil {
			return nil, nil, err
		}
	}
	if err := f.Settle(ctx); err != nil {
		return nil, nil, err
	}
	if m.wanted(idle) {
		if err := m.each(ctx, idle, 0, m.idle); err != nil {
			return nil, nil, err
		}
	}
	if m.wanted(burst) {
		if err := m.each(ctx, burst, 0, m.burst); err != nil {
			return nil, nil, err
		}
	}
	for round := range o.Rounds {
		if err := m.round(ctx, round); err != nil {
			return nil, nil, err
		}
	}
	if err := f.CheckRouting(ctx); err != nil {
		return nil, nil, err
	}
	return m.rows, &m.curve, nil
}

// run is a running measurement.
type run struct {
	Options
	table
	curve Curve
	fleet *fleet.Fleet
}

func (m *run) wanted(name string) bool {
	return slices.Contains(m.Only, name) || len(m.Only) == 0 && !slices.Contains(extra(), name)
}

// work measures one target and adds what it found.
type work func(context.Context, *fleet.Target) error

// step is a measurement of a round.
type step struct {
	name string
	work work
}

func (m *run) round(ctx context.Context, round int) error {
	steps := []step{{small, m.small}, {large, m.large}, {fast, m.fast}, {paced, m.paced}, {latency, m.latency}, {secureSmall, m.secureSmall}, {secureFast, m.secureFast}, {ttft, m.firstEvent}}
	for _, rate := range rates() {
		steps = append(steps, step{frontier, m.frontierAt(rate)})
	}
	for _, s := range steps {
		if !m.wanted(s.name) {
			continue
		}
		if err := m.each(ctx, s.name, round, s.work); err != nil {
			return err
		}
	}
	return nil
}

// each lets every target do the same, in another order each round.
func (m *run) each(ctx context.Context, name string, round int, do work) error {
	targets := m.fleet.Targets
	if slices.Contains(Secure(), name) {
		targets = m.fleet.Secure
	}
	n := len(targets)
	for i := range n {
		t := &targets[(i+round)%n]
		if t.Process == nil && !slices.Contains([]string{latency, ttft, frontier}, name) {
			continue // the upstream itself is no one's cost
		}
		m.tell(fmt.Sprintf("round %d of %d: %s, %s", round+1, m.Rounds, name, t.Name))
		if name != idle && name != burst {
			m.fleet.Hold()
		}
		if err := do(ctx, t); err != nil {
			return fmt.Errorf("measure %s of %s: %w", name, t.Name, err)
		}
		if err := m.fleet.Settle(ctx); err != nil {
			return fmt.Errorf("after %s of %s: %w", name, t.Name, err)
		}
	}
	return nil
}

func (m *run) tell(text string) {
	if m.Progress != nil {
		m.Progress(text)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
