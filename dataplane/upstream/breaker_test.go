package upstream_test

import (
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

func down() *fault.Error { return fault.New(fault.Unavailable, "down") }

func TestBreakerOpensProbesAndCloses(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	for i := range 3 {
		if !s.Available(now) {
			t.Fatalf("open after %d failures", i)
		}
		s.Failed(down(), now)
	}
	if word, reason := s.Condition(now); s.Available(now) || word != "open" || reason != "unavailable: down" {
		t.Fatalf("after three failures: %s, %s", word, reason)
	}
	now = now.Add(40 * time.Second)
	if word, _ := s.Condition(now); !s.Available(now) || word != "half_open" {
		t.Fatalf("after the cooldown: %s", word)
	}
	if !s.Allow(now) || s.Allow(now) {
		t.Fatal("half-open must let exactly one probe through")
	}
	s.Failed(down(), now)
	if s.Available(now.Add(40 * time.Second)) {
		t.Fatal("the second time is not longer than the first")
	}
	now = now.Add(70 * time.Second)
	if !s.Allow(now) {
		t.Fatal("no probe after the second cooldown")
	}
	s.Succeeded()
	if word, _ := s.Condition(now); word != "closed" || s.Availability() != 1 || !s.Allow(now) || !s.Allow(now) {
		t.Fatalf("after a good probe: %s, %v", word, s.Availability())
	}
}

func TestOnlyHealthCounts(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	for _, k := range []fault.Kind{fault.InvalidRequest, fault.ContextLength, fault.Canceled, fault.NotFound, fault.Authentication} {
		for range 10 {
			s.Failed(fault.New(k, "x"), now)
		}
	}
	if !s.Available(now) || s.Failures.Load() != 0 {
		t.Error("faults that are not the endpoint's opened the breaker")
	}
	s.Failed(&fault.Error{Kind: fault.RateLimit, RetryAfter: 10 * time.Second}, now)
	if word, _ := s.Condition(now); word != "cooling" || s.Available(now) || !s.Available(now.Add(11*time.Second)) || s.Failures.Load() != 0 {
		t.Errorf("a 429 with Retry-After: %s", word)
	}
}

func TestLowAvailabilityOpens(t *testing.T) {
	s := upstream.NewState(upstream.BreakerSettings{Threshold: 1000, MinAvailability: 0.7, Alpha: 0.1, Cooldown: time.Second})
	now := time.Now()
	n := 0
	for ; s.Available(now) && n < 100; n++ {
		if n%2 == 0 {
			s.Failed(down(), now)
		} else {
			s.Succeeded()
		}
	}
	if n == 100 || n < 5 {
		t.Errorf("every second request failing opened the breaker after %d", n)
	}
}

func TestALostProbeIsGivenUp(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	now := time.Now()
	for range 3 {
		s.Failed(down(), now)
	}
	now = now.Add(time.Minute)
	if !s.Allow(now) || s.Allow(now.Add(30*time.Second)) || !s.Allow(now.Add(2*time.Minute)) {
		t.Error("a probe that never came back blocks the endpoint")
	}
}
