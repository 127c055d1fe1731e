package meter_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/dataplane/meter"
	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/shared/wire"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// sink takes batches, or fails while down is true.
type sink struct {
	mu      sync.Mutex
	down    bool
	batches []meter.Batch
}

func (s *sink) send(context.Context, meter.Batch) error { return nil }

func (s *sink) take(_ context.Context, b meter.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errors.New("no responders")
	}
	b.Lines = bytes.Clone(b.Lines)
	s.batches = append(s.batches, b)
	return nil
}

func event(i int) *wire.Usage {
	return &wire.Usage{RequestID: "gen-1-" + strconv.Itoa(i), Attempts: []wire.Attempt{}}
}

func line(i int) []byte { return append(event(i).Append(nil), '\n') }

// check holds the sink to one event for each number, in order.
func (s *sink) check(t *testing.T, want int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	next, n := uint64(1), 0
	for _, b := range s.batches {
		if b.First != next {
			t.Fatalf("a batch begins at %d, want %d", b.First, next)
		}
		lines := bytes.Split(bytes.TrimSuffix(b.Lines, []byte("\n")), []byte("\n"))
		if uint64(len(lines)) != b.Last-b.First+1 {
			t.Fatalf("batch %d-%d has %d lines", b.First, b.Last, len(lines))
		}
		for _, line := range lines {
			u, err := wire.DecodeUsage(line)
			if err != nil {
				t.Fatal(err)
			}
			if u.RequestID != "gen-1-"+strconv.Itoa(n) {
				t.Fatalf("event %d is %s", n, u.RequestID)
			}
			n++
		}
		next = b.Last + 1
	}
	if n != want {
		t.Fatalf("%d events arrived, want %d", n, want)
	}
}

func TestEventsWaitForNATSAndArriveOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := meter.New(meter.DefaultLimit, nil, quiet()), &sink{down: true}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx, time.Second, s.take) }()
		for i := range 1000 {
			m.Add(line(i))
		}
		time.Sleep(time.Minute) // of the test's own clock
		if c := m.Counts(); c.Pending != 1000 || c.Acked != 0 {
			t.Fatalf("while NATS is down: %+v", c)
		}
		if len(m.Notes()) != 1 {
			t.Fatalf("notes %q", m.Notes())
		}
		s.mu.Lock()
		s.down = false
		s.mu.Unlock()
		time.Sleep(10 * time.Second)
		s.check(t, 1000)
		m.Add(line(1000))
		time.Sleep(time.Second)
		s.check(t, 1001)
		if c := m.Counts(); c.Acked != 1001 || c.Pending != 0 || len(m.Notes()) != 0 {
			t.Fatalf("afterwards: %+v %q", c, m.Notes())
		}
		m.Add(line(1001))
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		s.check(t, 1002) // handed over on the way out
	})
}

func TestWhatDoesNotFitIsCountedAsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meter.New(10_000, nil, quiet())
		for i := range 100 {
			m.Add(line(i))
		}
		c := m.Counts()
		if c.Lost == 0 || c.Issued != 100 || c.Issued != c.Pending+c.Lost {
			t.Fatalf("balance %+v", c)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var got uint64
		err := m.Run(ctx, time.Second, func(_ context.Context, b meter.Batch) error {
			got += b.Last - b.First + 1
			return nil
		})
		if err != nil || got != c.Pending {
			t.Fatalf("%d events were sent, want %d: %v", got, c.Pending, err)
		}
	})
}

func TestStopSaysWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := meter.New(meter.DefaultLimit, nil, quiet()), &sink{down: true}
		m.Add(line(0))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := m.Run(ctx, time.Second, s.take); err == nil {
			t.Fatal("an event was lost without a word")
		}
	})
}

// BenchmarkAddTogether is what requests that end at the same time pay.
func BenchmarkAddTogether(b *testing.B) {
	for _, sync := range []spool.Sync{spool.SyncNever, spool.SyncInterval, spool.SyncAlways} {
		b.Run(string(sync), func(b *testing.B) {
			kept, err := spool.Open(spool.Options{Dir: b.TempDir(), Limit: 1 << 40, Sync: sync, Log: quiet()})
			if err != nil {
				b.Fatal(err)
			}
			m, s := meter.New(meter.DefaultLimit, kept, quiet()), &sink{}
			go func() { _ = m.Run(b.Context(), 0, s.send) }()
			text := line(1)
			b.SetParallelism(64)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					m.Add(text)
				}
			})
		})
	}
}

// BenchmarkAdd encodes an event and adds it, to memory and to the spool.
func BenchmarkAdd(b *testing.B) {
	kept, err := spool.Open(spool.Options{Dir: b.TempDir(), Limit: 1 << 40, Log: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	for name, kept := range map[string]*spool.Spool{"memory": nil, "spool": kept} {
		b.Run(name, func(b *testing.B) {
			m, s := meter.New(meter.DefaultLimit, kept, quiet()), &sink{}
			go func() { _ = m.Run(b.Context(), 0, s.send) }()
			u := &wire.Usage{
				RequestID: "gen-1779760223-foBbuEEOlNTnG2IMQeB5", Node: "node-1", Model: "demo", Endpoint: "demo:local-8000", Provider: "vLLM",
				Attempts: []wire.Attempt{{Endpoint: "demo:local-8000", Status: 200}}, UserAgent: "OpenAI/JS 6.1.0", ClientIP: "10.0.0.1", End: wire.EndComplete,
			}
			var line []byte
			b.ReportAllocs()
			for n := uint64(1); b.Loop(); n++ {
				line = append(u.Append(line[:0]), '\n')
				m.Add(line)
				if kept != nil && n%1000 == 0 {
					m.Committed(&wire.Receipt{Ranges: []wire.Range{{Epoch: kept.Epoch(), First: 1, Last: kept.Last()}}})
				}
			}
		})
	}
}
