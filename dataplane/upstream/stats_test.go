package upstream_test

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
)

func stats() *upstream.Stats { return &upstream.NewState(upstream.DefaultBreaker()).Stats }

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestPercentilesAreRightToATenth(t *testing.T) {
	s, now := stats(), time.Unix(1_700_000_000, 0)
	for i := 1; i <= 1000; i++ {
		s.Answered(now, upstream.Measure{FirstToken: ms(i), Total: ms(2 * i), Tokens: int64(i)})
	}
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.13*want {
			t.Errorf("%s is %g, want about %g", name, got, want)
		}
	}
	p, ok := s.Latency(now, upstream.FiveMinutes)
	if !ok {
		t.Fatal("no latency")
	}
	near("p50", p.P50, 500)
	near("p75", p.P75, 750)
	near("p90", p.P90, 900)
	near("p99", p.P99, 990)
	if p, ok = s.Throughput(now, upstream.HalfHour); !ok {
		t.Fatal("no throughput")
	}
	near("tokens/s", p.P50, 500) // i tokens in 2i ms, always
	varied := stats()
	for i := 1; i <= 1000; i++ {
		varied.Answered(now, upstream.Measure{Total: time.Second, Tokens: int64(i)})
	}
	p, _ = varied.Throughput(now, upstream.FiveMinutes)
	near("nine of ten get", p.P90, 100)
	near("three of four get", p.P75, 250)
	for _, d := range []time.Duration{time.Nanosecond, ms(1), 100 * time.Hour} {
		one := stats()
		one.Answered(now, upstream.Measure{FirstToken: d})
		if p, ok := one.Latency(now, upstream.HalfHour); !ok || p.P50 <= 0 || p.P99 < p.P50 || math.IsInf(p.P99, 0) {
			t.Errorf("%s gives %+v", d, p)
		}
	}
}

func TestWholeAnswersCountWhereNothingIsStreamed(t *testing.T) {
	s, now := stats(), time.Unix(1_700_000_000, 0)
	s.Answered(now, upstream.Measure{Total: ms(4000)})
	if p, ok := s.Latency(now, upstream.FiveMinutes); !ok || p.P50 < 3500 || p.P50 > 4500 {
		t.Errorf("latency of whole answers %+v", p)
	}
	s.Answered(now, upstream.Measure{FirstToken: ms(100), Total: ms(4000)})
	if p, _ := s.Latency(now, upstream.FiveMinutes); p.P50 > 120 {
		t.Errorf("latency of streams %+v", p)
	}
	if _, ok := s.Throughput(now, upstream.FiveMinutes); ok {
		t.Error("throughput without tokens")
	}
}

func TestWindowsForget(t *testing.T) {
	s, start := stats(), time.Unix(1_700_000_000, 0)
	if _, ok := s.Uptime(start, upstream.Day); ok {
		t.Error("uptime before anything happened")
	}
	s.Failed(start)
	s.Answered(start, upstream.Measure{FirstToken: ms(10)})
	f := func(after time.Duration, w upstream.Window, want bool) {
		t.Helper()
		if got, ok := s.Uptime(start.Add(after), w); ok != want || ok && got != 50 {
			t.Errorf("after %s window %d: uptime %g, %v", after, w, got, ok)
		}
		if w == upstream.Day {
			return
		}
		if _, ok := s.Latency(start.Add(after), w); ok != want {
			t.Errorf("after %s window %d: latency %v", after, w, ok)
		}
	}
	f(0, upstream.FiveMinutes, true)
	f(3*time.Minute, upstream.FiveMinutes, true)
	f(6*time.Minute, upstream.FiveMinutes, false)
	f(6*time.Minute, upstream.HalfHour, true)
	f(28*time.Minute, upstream.HalfHour, true)
	f(31*time.Minute, upstream.HalfHour, false)
	f(31*time.Minute, upstream.Day, true)
	f(23*time.Hour, upstream.Day, true)
	f(25*time.Hour, upstream.Day, false)
	// one turn of the ring later the slot is another minute's
	s.Failed(start.Add(31 * time.Minute))
	if got, ok := s.Uptime(start.Add(31*time.Minute), upstream.HalfHour); !ok || got != 0 {
		t.Errorf("the old minute still counts: uptime %g", got)
	}
}

func TestNothingIsLostUnderConcurrency(t *testing.T) {
	s, start := stats(), time.Unix(1_700_000_000, 0)
	const workers, each = 8, 3000
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range each {
				s.Answered(start.Add(time.Duration(i)*time.Second/10), upstream.Measure{FirstToken: ms(5)}) // over five minutes
			}
		})
	}
	wg.Wait()
	if n := s.Requests(start.Add(5 * time.Minute)); n != workers*each {
		t.Errorf("%d of %d were counted", n, workers*each)
	}
}

func BenchmarkStats(b *testing.B) {
	s := stats()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Answered(time.Now(), upstream.Measure{FirstToken: ms(80), Total: ms(900), Tokens: 120})
		}
	})
}
