package measure

import (
	"context"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/load"
)

func (m *run) small(ctx context.Context, t *fleet.Target) error {
	head := Row{Measure: small, Title: "CPU per request, small", Unit: "µs", Mark: requestMark}
	return m.loop(ctx, t, head, smallConns, 0)
}

func (m *run) large(ctx context.Context, t *fleet.Target) error {
	head := Row{Measure: large, Title: "CPU per request, 100 KB", Unit: "µs"}
	return m.loop(ctx, t, head, largeConns, 0)
}

func (m *run) fast(ctx context.Context, t *fleet.Target) error {
	head := Row{Measure: fast, Title: "CPU per chunk, fast", Unit: "µs", Mark: chunkMark}
	return m.loop(ctx, t, head, fastStreams, fastChunks)
}

func (m *run) secureSmall(ctx context.Context, t *fleet.Target) error {
	head := Row{Measure: secureSmall, Title: "CPU per request, small, https", Unit: "µs", Mark: secureMark}
	return m.loop(ctx, t, head, smallConns, 0)
}

func (m *run) secureFast(ctx context.Context, t *fleet.Target) error {
	head := Row{Measure: secureFast, Title: "CPU per chunk, fast, https", Unit: "µs", Mark: secureMark}
	return m.loop(ctx, t, head, fastStreams, fastChunks)
}

// loop notes the CPU time of a closed loop for each request, or for each of the
// chunks that a request brings.
func (m *run) loop(ctx context.Context, t *fleet.Target, head Row, conns, chunks int) error {
	var done load.Result
	spent, err := m.settled(ctx, t, func() (err error) {
		done, err = load.Closed(ctx, request(head.Measure, t), conns, m.Busy)
		return err
	})
	if err != nil {
		return err
	}
	m.add(head, t.Name, micros(spent)/float64(done.Requests*int64(max(chunks, 1))))
	return nil
}

// paced opens streams first and measures while all of them run.
func (m *run) paced(ctx context.Context, t *fleet.Target) error {
	s, err := load.OpenStreams(ctx, request(paced, t), pacedCount, 10*pace)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // closed below; this is for errors before
	before := s.Events()
	spent, err := spent(t, func() error { return pause(ctx, m.Busy) })
	if err != nil {
		return err
	}
	events := s.Events() - before
	m.add(Row{Measure: paced, Title: "CPU per chunk, paced", Unit: "µs", Mark: chunkMark}, t.Name, micros(spent)/float64(events))
	return s.Close()
}

// spent is the CPU time that a target needs for some work.
func spent(t *fleet.Target, work func() error) (time.Duration, error) {
	before, err := t.Process.CPU()
	if err != nil {
		return 0, err
	}
	if err := work(); err != nil {
		return 0, err
	}
	after, err := t.Process.CPU()
	return after - before, err
}

// settled is spent with what the target does afterwards, until all that was
// begun is done: usage events go out in batches.
func (m *run) settled(ctx context.Context, t *fleet.Target, work func() error) (time.Duration, error) {
	return spent(t, func() error {
		if err := work(); err != nil {
			return err
		}
		return m.fleet.Settle(ctx)
	})
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
