package upstream_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestCountsAreTotals(t *testing.T) {
	s := upstream.NewState(upstream.DefaultBreaker())
	c := &s.Counts
	c.Sent()
	c.Began(ms(50)) // a bound belongs to its bucket
	c.Sent()
	c.Began(ms(51))
	c.Sent()
	c.Began(100 * time.Hour)
	c.Sent()
	c.Blank(0)
	c.Sent()
	c.Blank(ms(900)) // too soon to say anything
	c.Sent()
	c.Blank(ms(1000))
	c.Sent()
	c.Answered()
	c.Answered()
	c.Failed()
	c.Rejected()
	c.Paid(5e11)
	c.Paid(25e10)
	got := c.Totals("m:a")
	if got.Since < time.Now().Add(-time.Minute).UnixMilli() {
		t.Errorf("counted since %d", got.Since)
	}
	got.Since = 0
	buckets := make([]uint64, wire.FirstTokenBuckets)
	buckets[0], buckets[1], buckets[8], buckets[wire.FirstTokenBuckets-1] = 1, 1, 1, 1
	want := wire.EndpointCounts{
		Endpoint: "m:a", Requests: 4, Errors: 1, Rejected: 1, Streams: 7, Begun: 6, FirstToken: buckets, Priced: 2, CostUSD: 0.75, CostSquares: 0.3125,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCountsTakeAllAtOnce(t *testing.T) {
	c := &upstream.NewState(upstream.DefaultBreaker()).Counts
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				c.Paid(1e12)
				c.Answered()
			}
		})
	}
	all.Wait()
	if got := c.Totals(""); got.Priced != 8000 || got.CostUSD != 8000 || got.CostSquares != 8000 || got.Requests != 8000 || got.FirstToken != nil {
		t.Errorf("got %+v", got)
	}
}

func TestDownIsWhatGetsNoRequests(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := upstream.NewState(upstream.DefaultBreaker())
	if why := s.Down(now); why != "" {
		t.Errorf("a fresh endpoint is down: %s", why)
	}
	for range 3 {
		p, ok := s.Acquire(now, 0)
		if !ok {
			t.Fatal("no place")
		}
		p.Failed(fault.New(fault.Unavailable, "cut"), now)
		p.Release()
	}
	if why := s.Down(now); why != "the circuit breaker is open: unavailable: cut" {
		t.Errorf("down because %q", why)
	}
	if why := s.Down(now.Add(time.Hour)); why != "" {
		t.Errorf("a half-open breaker lets a request through, and is down: %s", why)
	}
	s = upstream.NewState(upstream.DefaultBreaker())
	s.Pause(now.Add(time.Minute), fault.New(fault.RateLimit, "slow down"))
	if why := s.Down(now); why != "" {
		t.Errorf("a cool-down is no failure: %s", why)
	}
}
