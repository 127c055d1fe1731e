package collector_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
)

// One iteration is one event on its way from the stream, in frames of 250,
// through collectors side by side into the database.
func benchmarkCollect(b *testing.B, collectors int, create func(testing.TB) *requestlogtest.Database) {
	const perFrame = 250
	server := bustest.Start(b)
	nc := server.Connect("bench")
	if _, err := bus.EnsureUsage(b.Context(), nc, bus.Limits{}); err != nil {
		b.Fatal(err)
	}
	for first := 0; first < b.N; first += perFrame {
		var lines []byte
		last := min(first+perFrame, b.N)
		for n := first; n < last; n++ {
			lines = append(requestlogtest.Event(n).Append(lines), '\n')
		}
		msg, err := bus.EncodeFrame(bus.Frame{Node: "node-a", Epoch: "e", First: uint64(first + 1), Last: uint64(last), Lines: lines})
		if err != nil {
			b.Fatal(err)
		}
		if err := bus.PublishFrame(b.Context(), nc, msg); err != nil {
			b.Fatal(err)
		}
	}
	db := create(b)
	s := db.Open(b)
	var all []*collector.Collector
	for range collectors {
		c, err := collector.New(collector.Options{NATS: nc, Store: s, Name: "bench", Primary: true, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, c)
	}
	b.ReportAllocs()
	b.ResetTimer()
	collect(b, all)
}

// collect runs collectors until they have inserted b.N events.
func collect(b *testing.B, all []*collector.Collector) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	for _, c := range all {
		running.Go(func() {
			if err := c.Run(ctx); err != nil {
				b.Error(err)
			}
		})
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for inserted := uint64(0); inserted < uint64(b.N); <-tick.C {
		inserted = 0
		for _, c := range all {
			inserted += c.Status().Inserted
		}
	}
	b.StopTimer()
	cancel()
	running.Wait()
}

func BenchmarkCollect1Postgres(b *testing.B) { benchmarkCollect(b, 1, requestlogtest.Postgres) }

func BenchmarkCollect2Postgres(b *testing.B) { benchmarkCollect(b, 2, requestlogtest.Postgres) }

func BenchmarkCollect1SQLite(b *testing.B) { benchmarkCollect(b, 1, requestlogtest.SQLite) }
