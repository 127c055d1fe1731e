package measure

import (
	"context"
	"fmt"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/load"
)

// latency notes how long answers take at a fixed rate, and what a request costs
// a target that has time in between.
func (m *run) latency(ctx context.Context, t *fleet.Target) error {
	var l load.Latencies
	work := func() (err error) {
		l, err = load.Open(ctx, request(latency, t), m.Rate, m.Busy)
		return err
	}
	at := fmt.Sprintf(" at %g/s", m.Rate)
	if t.Process == nil {
		if err := work(); err != nil {
			return err
		}
	} else {
		spent, err := m.settled(ctx, t, work)
		if err != nil {
			return err
		}
		m.add(Row{Measure: latency, Title: "CPU per request" + at, Unit: "µs"}, t.Name, micros(spent)/float64(len(l)))
	}
	m.add(Row{Measure: latency, Title: "latency p50" + at, Unit: "µs"}, t.Name, micros(l.At(0.5)))
	m.add(Row{Measure: latency, Title: "latency p99" + at, Unit: "µs"}, t.Name, micros(l.At(0.99)))
	return nil
}
