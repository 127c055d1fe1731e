package route_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

func model(weights ...float64) *snapshot.Model {
	m := &snapshot.Model{Model: &wire.Model{ID: "m"}}
	for i, w := range weights {
		m.Endpoints = append(m.Endpoints, &snapshot.Endpoint{
			Endpoint: &wire.Endpoint{ID: string(rune('a' + i)), Weight: w}, State: upstream.NewState(upstream.DefaultBreaker()),
		})
	}
	return m
}

func order(p *route.Plan) string {
	s := ""
	for _, c := range p.Candidates() {
		s += c.Endpoint.ID
	}
	return s
}

func TestWeightsHold(t *testing.T) {
	m := model(0.8, 0.2)
	const picks = 20_000
	n := map[string]int{}
	var p route.Plan
	for range picks {
		p.Reset()
		p.Add(m, &route.Constraints{Now: time.Now()})
		n[order(&p)]++
	}
	// chi-square with one degree of freedom: 15.1 is passed by chance once in 10,000 runs
	chi := 0.0
	for key, want := range map[string]float64{"ab": 0.8 * picks, "ba": 0.2 * picks} {
		d := float64(n[key]) - want
		chi += d * d / want
	}
	if chi > 15.1 || n["ab"]+n["ba"] != picks {
		t.Errorf("picks %v, chi-square %.1f", n, chi)
	}
}

// open makes an endpoint fail until its breaker opens.
func open(e *snapshot.Endpoint, at time.Time) {
	for range 3 {
		place, _ := e.State.Acquire(at, 0)
		place.Failed(fault.New(fault.Unavailable, "down"), at)
		place.Release()
	}
}

func TestOpenBreakersAreLeftOut(t *testing.T) {
	now := time.Now()
	m := model(1, 1, 1)
	down := func(i int, at time.Time) { open(m.Endpoints[i], at) }
	down(1, now)
	var p route.Plan
	for range 200 {
		p.Reset()
		if p.Add(m, &route.Constraints{Now: now}); len(p.Candidates()) != 2 || order(&p) != "ac" && order(&p) != "ca" {
			t.Fatalf("plan %q", order(&p))
		}
	}
	down(0, now.Add(-20*time.Second)) // comes back first
	down(2, now)
	p.Reset()
	if p.Add(m, &route.Constraints{Now: now}); order(&p) != "" || p.Waiting.Endpoint != m.Endpoints[0] {
		t.Errorf("with everything open the plan is %q, waiting for %v", order(&p), p.Waiting.Endpoint)
	}
	p.Reset()
	if p.Add(model(), &route.Constraints{Now: now}); order(&p) != "" {
		t.Errorf("a model without endpoints is planned: %q", order(&p))
	}
}

// When nothing else is left, what only a health check has taken out is tried;
// what is open, cooling or full is not.
func TestLastResort(t *testing.T) {
	now := time.Now()
	m := model(1, 1, 1, 1)
	out := func(e *snapshot.Endpoint) {
		for range 2 {
			e.State.Probed(errors.New("no answer"), now)
		}
	}
	out(m.Endpoints[1])
	out(m.Endpoints[3])
	open(m.Endpoints[0], now)
	place, _ := m.Endpoints[2].State.Acquire(now, 0)
	place.Failed(&fault.Error{Kind: fault.RateLimit, RetryAfter: time.Second}, now)
	place.Release()
	var p route.Plan
	if p.Add(m, &route.Constraints{Now: now}); order(&p) != "bd" {
		t.Errorf("plan %q", order(&p))
	}
	open(m.Endpoints[1], now)
	p.Reset()
	p.Prefer(&route.Constraints{Now: now}, []route.Target{{Model: m}})
	if order(&p) != "d" {
		t.Errorf("plan by preferences %q", order(&p))
	}
	for slug, want := range map[string]string{"d": "d", "a": "", "c": ""} {
		p.Reset()
		for _, e := range m.Endpoints {
			e.Slugs = []string{e.ID}
		}
		if !p.Pin(m, slug, now) || order(&p) != want {
			t.Errorf("pinned to %s the plan is %q", slug, order(&p))
		}
	}
	open(m.Endpoints[3], now)
	p.Reset()
	if p.Add(m, &route.Constraints{Now: now}); order(&p) != "" || p.Waiting.Endpoint != m.Endpoints[2] {
		t.Errorf("plan %q, waiting for %v", order(&p), p.Waiting.Endpoint)
	}
}

func BenchmarkPlan(b *testing.B) {
	f := func(name string, session uint64) {
		b.Run(name, func(b *testing.B) {
			m := model(1, 2, 3, 4, 5)
			w := &route.Constraints{Session: session, Now: time.Now()}
			var p route.Plan
			b.ReportAllocs()
			for b.Loop() {
				p.Reset()
				p.Add(m, w)
			}
		})
	}
	f("random", 0)
	f("session", route.Hash("conversation-17"))
}
