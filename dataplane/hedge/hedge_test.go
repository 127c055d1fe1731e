package hedge

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestBins(t *testing.T) {
	last := -1
	for us := time.Duration(8); us < 1<<38; us += us/50 + 1 {
		d := us * time.Microsecond
		bin := binOf(d)
		if bin < last || bin >= bins {
			t.Fatalf("%s is in bin %d after bin %d", d, bin, last)
		}
		last = bin
		if edge := upperEdge(bin); edge <= d || float64(edge) > 1.13*float64(d)+1000 {
			t.Fatalf("%s is below %s", d, edge)
		}
	}
	if binOf(0) != 0 || binOf(1<<62) != bins-1 {
		t.Errorf("bins %d and %d", binOf(0), binOf(1<<62))
	}
}

// The estimate is the 95th percentile or up to an eighth more, follows a change,
// and is not made of a few observations.
func TestQuantile(t *testing.T) {
	var p Policy
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(scale time.Duration) time.Duration {
		return scale + time.Duration(random.ExpFloat64()*float64(scale))
	}
	for range enough - 1 {
		p.Note(true, draw(time.Millisecond))
	}
	if d, ok := p.After(true); ok {
		t.Errorf("%s is known after %d observations", d, enough-1)
	}
	for _, scale := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 5 * time.Millisecond} {
		var times []time.Duration
		for range 20_000 {
			d := draw(scale)
			times = append(times, d)
			p.Note(true, d)
		}
		slices.Sort(times)
		want := times[len(times)*95/100]
		if got, ok := p.After(true); !ok || float64(got) < 0.93*float64(want) || float64(got) > 1.25*float64(want) {
			t.Errorf("of %s: %s, want %s", scale, got, want)
		}
	}
	if d, ok := p.After(false); ok {
		t.Errorf("unary answers take %s although none was seen", d)
	}
}

// Whatever comes together, no more requests are hedged than the budget's share.
func TestBudget(t *testing.T) {
	var p Policy
	p.Configure(time.Second, 0.02)
	if d, ok := p.After(true); !ok || d != time.Second {
		t.Errorf("after %s, %t", d, ok)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 10 {
		wg.Go(func() {
			for range 1000 {
				p.Request()
				if p.Take() {
					mu.Lock()
					taken++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if taken > 200 || taken < 190 {
		t.Errorf("%d of 10000 requests were hedged, want 200", taken)
	}
	for range 10_000 {
		p.Request()
	}
	burst := 0
	for p.Take() {
		burst++
	}
	if burst > 11 {
		t.Errorf("%d hedges were saved up", burst)
	}
}

func TestHedgingDoesNotAllocate(t *testing.T) {
	var p Policy
	p.Configure(0, 0.02)
	if n := testing.AllocsPerRun(1000, func() {
		p.Request()
		p.Note(true, 20*time.Millisecond)
		p.After(true)
		p.Take()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNote(b *testing.B) {
	var p Policy
	for b.Loop() {
		p.Note(true, 20*time.Millisecond)
	}
}
