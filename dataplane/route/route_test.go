package route_test

import (
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
		p.Add(m, 0, time.Now())
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
		if p.Add(m, 0, now); len(p.Candidates()) != 2 || order(&p) != "ac" && order(&p) != "ca" {
			t.Fatalf("plan %q", order(&p))
		}
	}
	down(0, now.Add(-20*time.Second)) // comes back first
	down(2, now)
	p.Reset()
	if p.Add(m, 0, now); order(&p) != "a" {
		t.Errorf("with everything open the plan is %q", order(&p))
	}
	p.Reset()
	if p.Add(model(), 0, now); order(&p) != "" {
		t.Errorf("a model without endpoints is planned: %q", order(&p))
	}
}

func BenchmarkPlan(b *testing.B) {
	f := func(name string, session uint64) {
		b.Run(name, func(b *testing.B) {
			m := model(1, 2, 3, 4, 5)
			now := time.Now()
			var p route.Plan
			b.ReportAllocs()
			for b.Loop() {
				p.Reset()
				p.Add(m, session, now)
			}
		})
	}
	f("random", 0)
	f("session", route.Hash("conversation-17"))
}
