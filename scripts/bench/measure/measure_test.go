package measure_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/measure"
)

// TestMain plays a role when a fleet has started this binary for it.
func TestMain(m *testing.M) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	played, err := fleet.Play(ctx, os.Args[1:])
	stop()
	if !played {
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(t *testing.T) *fleet.Fleet {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := fleet.Start(t.Context(), fleet.Options{Dir: t.TempDir(), Self: self, Models: measure.Models(), Secure: measure.Secure()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return f
}

// Everything but memory, which takes its time, on what can be had without the
// gateway's binaries.
func TestProxyIsMeasured(t *testing.T) {
	f := start(t)
	rows, _, err := measure.Run(t.Context(), f, measure.Options{
		Rounds: 2, Rate: 200, Busy: 100 * time.Millisecond, Only: []string{"small", "large", "fast", "paced", "latency", "https-small", "https-fast", "ttft"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 6+3+2 {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		if got := r.Values[fleet.Proxy]; len(got) != 2 || got[0] <= 0 {
			t.Errorf("%s: %v", r.Title, r.Values)
		}
		if v, ok := r.Median(fleet.Proxy); !ok || v > 1e5 {
			t.Errorf("%s: %v %s cannot be", r.Title, v, r.Unit)
		}
	}
	c, err := f.Upstream.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Two targets, 200 a second for 0.1 s, twice.
	if got := c.Of("latency").Answered; got != 2*20*2 {
		t.Errorf("%d requests instead of 80 in the open loop", got)
	}
	if c.Total.Open != 0 || c.Of("idle").Requests != 0 {
		t.Errorf("%+v", c)
	}
}

func TestMedianAndRatio(t *testing.T) {
	r := measure.Row{Values: map[string][]float64{"a": {5, 1, 30}, "b": {1, 1, 10}, "even": {4, 2}, "zero": {0}}}
	f := func(v float64, ok bool, want float64, known bool) {
		t.Helper()
		if v != want || ok != known {
			t.Errorf("%v %v instead of %v %v", v, ok, want, known)
		}
	}
	v, ok := r.Median("a")
	f(v, ok, 5, true)
	v, ok = r.Median("even")
	f(v, ok, 3, true)
	v, ok = r.Median("nobody")
	f(v, ok, 0, false)
	// 5, 1 and 3 times: not the ratio of the medians, which are of different rounds.
	v, ok = r.Ratio("a", "b")
	f(v, ok, 3, true)
	v, ok = r.Ratio("a", "zero")
	f(v, ok, 0, false)
}
