package upstream_test

import (
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

func down() *fault.Error { return fault.New(fault.Unavailable, "down") }

// acquire takes a place that the test expects to get.
func acquire(t *testing.T, s *upstream.State, now time.Time) upstream.Place {
	t.Helper()
	p, ok := s.Acquire(now, 0)
	if !ok {
		word, _ := s.Condition(now)
		t.Fatalf("no place at an endpoint that is %s", word)
	}
	return p
}

// fail lets n requests fail one after the other.
func fail(t *testing.T, s *upstream.State, now time.Time, n int) {
	t.Helper()
	for range n {
		p := acquire(t, s, now)
		p.Failed(down(), now)
		p.Release()
	}
}

func TestBreakerOpensProbesAndCloses(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	fail(t, s, now, 3)
	if word, reason := s.Condition(now); s.Available(now) || word != "open" || reason != "unavailable: down" {
		t.Fatalf("after three failures: %s, %s", word, reason)
	}
	if _, ok := s.Acquire(now.Add(26*time.Second), 0); ok {
		t.Fatal("an open breaker admitted a request")
	}
	now = now.Add(40 * time.Second)
	if word, _ := s.Condition(now); !s.Available(now) || word != "half_open" {
		t.Fatalf("after the cooldown: %s", word)
	}
	probe := acquire(t, s, now)
	if _, ok := s.Acquire(now.Add(time.Hour), 0); ok {
		t.Fatal("half-open admitted a second probe beside the first")
	}
	probe.Failed(down(), now)
	probe.Release()
	if s.Available(now.Add(40 * time.Second)) {
		t.Fatal("the second time is not longer than the first")
	}
	now = now.Add(70 * time.Second)
	probe = acquire(t, s, now)
	probe.Succeeded()
	probe.Release()
	if word, _ := s.Condition(now); word != "closed" || s.Availability() != 1 {
		t.Fatalf("after a good probe: %s, %v", word, s.Availability())
	}
	one, two := acquire(t, s, now), acquire(t, s, now)
	one.Release()
	two.Release()
}

// The time of being open doubles with every probe that fails, up to five minutes.
func TestOpenTimeGrows(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	fail(t, s, now, 3)
	for _, want := range []time.Duration{30, 60, 120, 240, 300, 300} {
		want *= time.Second
		got := s.Until(now).Sub(now)
		if got < want*89/100 || got > want*111/100 {
			t.Errorf("open for %s, want %s give or take a tenth", got, want)
		}
		now = now.Add(got)
		fail(t, s, now, 1)
	}
}

// What was under way when the breaker opened neither closes it nor keeps it
// open for longer, and its end is not the end of the probe.
func TestOnlyTheProbeDecidesAtHalfOpen(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	good, bad, left := acquire(t, s, now), acquire(t, s, now), acquire(t, s, now)
	fail(t, s, now, 3)
	good.Succeeded()
	good.Release()
	if s.Available(now) {
		t.Fatal("an answer to an older request closed the breaker")
	}
	until := s.Until(now)
	now = until
	probe := acquire(t, s, now)
	bad.Failed(down(), now)
	bad.Release()
	left.Release()
	if word, _ := s.Condition(now); word != "half_open" {
		t.Fatalf("the failure of an older request made it %s", word)
	}
	if _, ok := s.Acquire(now, 0); ok {
		t.Fatal("the end of an older request ended the probe")
	}
	probe.Release() // its client left: nothing was learnt
	probe = acquire(t, s, now)
	probe.Succeeded()
	probe.Failed(down(), now) // broke off after its beginning: a failure like any other
	probe.Release()
	if word, _ := s.Condition(now); word != "closed" {
		t.Errorf("after a probe that was answered: %s", word)
	}
}

func TestOnlyHealthCounts(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	p := acquire(t, s, now)
	for _, k := range []fault.Kind{fault.InvalidRequest, fault.ContextLength, fault.Canceled, fault.NotFound, fault.Authentication} {
		for range 10 {
			p.Failed(fault.New(k, "x"), now)
		}
	}
	if !s.Available(now) || s.Failures.Load() != 0 {
		t.Error("faults that are not the endpoint's opened the breaker")
	}
	p.Failed(&fault.Error{Kind: fault.RateLimit, RetryAfter: 10 * time.Second}, now)
	p.Failed(&fault.Error{Kind: fault.RateLimit, RetryAfter: time.Second}, now)
	if word, _ := s.Condition(now); word != "cooling" || s.Available(now.Add(9*time.Second)) || !s.Available(now.Add(11*time.Second)) || s.Failures.Load() != 0 {
		t.Errorf("a 429 with Retry-After: %s", word)
	}
	if _, ok := s.Acquire(now.Add(9*time.Second), 0); ok || s.Cooling(now) == nil {
		t.Error("a cooling endpoint admitted a request")
	}
}

func TestLowAvailabilityOpens(t *testing.T) {
	s := upstream.NewState(upstream.BreakerSettings{Threshold: 1000, MinAvailability: 0.7, Alpha: 0.1, Cooldown: time.Second})
	now := time.Now()
	p := acquire(t, s, now)
	n := 0
	for ; s.Available(now) && n < 100; n++ {
		if n%2 == 0 {
			p.Failed(down(), now)
		} else {
			p.Succeeded()
		}
	}
	if n == 100 || n < 5 {
		t.Errorf("every second request failing opened the breaker after %d", n)
	}
	p.Succeeded()
	if s.Available(now) {
		t.Error("the next answer closed it")
	}
}

// A connection that takes forty streams with it is one failure.
func TestADeadConnectionCountsOnce(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	p := acquire(t, s, now)
	for range 40 {
		p.Failed(&fault.Error{Kind: fault.Unavailable, Connection: 7}, now)
		p.Failed(&fault.Error{Kind: fault.Unavailable, Connection: 8}, now)
	}
	if n := s.Failures.Load(); n != 2 || !s.Available(now) {
		t.Errorf("two connections counted as %d failures", n)
	}
	p.Failed(&fault.Error{Kind: fault.Unavailable, Connection: 9}, now)
	if s.Available(now) {
		t.Error("three connections in a row did not open the breaker")
	}
}

// A place is given back once, however often Release is called.
func TestPlaces(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	p, ok := s.Acquire(now, 1)
	if _, second := s.Acquire(now, 1); !ok || second || s.InFlight.Load() != 1 {
		t.Fatalf("%v, %v, %d in flight, want one of one", ok, second, s.InFlight.Load())
	}
	for range 3 {
		p.Release()
	}
	if p.Held() || s.InFlight.Load() != 0 {
		t.Errorf("%d in flight after the release", s.InFlight.Load())
	}
}
