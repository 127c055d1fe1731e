package measure

import (
	"context"
	"fmt"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/load"
)

// latency notes the latencies of an open loop, and for a process the CPU time
// of a request in it.
func (m *run) latency(ctx context.Context, t *fleet.Target) error {
	return m.openLoop(ctx, t, latency, "latency", m.Rate)
}

// firstEvent notes how long a stream takes to begin.
func (m *run) firstEvent(ctx context.Context, t *fleet.Target) error {
	return m.openLoop(ctx, t, ttft, "time to first event", ttftRate)
}

// frontierAt notes latencies at one of the rates whose frontier is looked for.
func (m *run) frontierAt(rate float64) work {
	return func(ctx context.Context, t *fleet.Target) error {
		return m.openLoop(ctx, t, frontier, "frontier", rate)
	}
}

func (m *run) openLoop(ctx context.Context, t *fleet.Target, name, title string, rate float64) error {
	var l load.Latencies
	work := func() (err error) {
		l, err = load.Open(ctx, request(name, t), rate, m.Busy)
		return err
	}
	at := fmt.Sprintf(" at %g/s", rate)
	if t.Process == nil {
		if err := work(); err != nil {
			return err
		}
	} else {
		spent, err := m.settled(ctx, t, work)
		if err != nil {
			return err
		}
		if name == latency {
			m.add(Row{Measure: name, Title: "CPU per request" + at, Unit: "µs"}, t.Name, micros(spent)/float64(len(l)))
		}
	}
	for _, q := range []struct {
		name  string
		share float64
	}{{" p50", 0.5}, {" p99", 0.99}} {
		m.add(Row{Measure: name, Title: title + q.name + at, Unit: "µs", Rate: rate}, t.Name, micros(l.At(q.share)))
	}
	return nil
}
