package measure

import (
	"context"
	"slices"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/load"
)

// A burst is so many silent streams at a time, then so many bytes of bodies.
const (
	burstStreams = 5000
	burstBytes   = 1 << 30
	recovery     = 30 * time.Second // after it, until memory is read again
	sampleEvery  = 500 * time.Millisecond
)

// Curve is a figure over time, by target; each of its values is Step after the last.
type Curve struct {
	Title  string               `json:"title"`
	Unit   string               `json:"unit"`
	Step   time.Duration        `json:"step"`
	Values map[string][]float64 `json:"values"`
}

// burst notes the memory before, during and after a burst.
func (m *run) burst(ctx context.Context, t *fleet.Target) error {
	before, err := t.Process.RSS()
	if err != nil {
		return err
	}
	sampling, stop := context.WithCancel(ctx)
	defer stop()
	sampled := make(chan []float64, 1)
	go func() { sampled <- sampleRSS(sampling, t) }()
	if err := loadBurst(ctx, t); err != nil {
		return err
	}
	if err := pause(ctx, recovery); err != nil {
		return err
	}
	after, err := t.Process.RSS()
	if err != nil {
		return err
	}
	stop()
	values := <-sampled
	m.curve.Values[t.Name] = values
	for _, r := range []struct {
		title string
		value float64
	}{{"RSS before a burst", mebibytes(before)}, {"RSS at most, during it", slices.Max(append(values, mebibytes(after)))}, {"RSS 30 s after it", mebibytes(after)}} {
		m.add(Row{Measure: burst, Title: r.title, Unit: "MiB"}, t.Name, r.value)
	}
	m.add(Row{Measure: burst, Title: "RSS 30 s after it / before", Unit: "%"}, t.Name, 100*float64(after)/float64(before))
	return nil
}

func loadBurst(ctx context.Context, t *fleet.Target) error {
	s, err := load.OpenStreams(ctx, request(burst, t), burstStreams, 3*time.Second)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	req := request(large, t)
	for sent := 0; sent < burstBytes; {
		done, err := load.Closed(ctx, req, largeConns, time.Second)
		if err != nil {
			return err
		}
		sent += int(done.Requests) * len(req.Body)
	}
	return nil
}

// sampleRSS reads the memory of a target again and again until ctx ends.
func sampleRSS(ctx context.Context, t *fleet.Target) (values []float64) {
	for {
		if rss, err := t.Process.RSS(); err == nil {
			values = append(values, mebibytes(rss))
		}
		if pause(ctx, sampleEvery) != nil {
			return values
		}
	}
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
