package route_test

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/fault"
)

// home is the endpoint that a session's requests go to first.
func home(m *snapshot.Model, session string) string {
	var p route.Plan
	p.Add(m, &route.Constraints{Session: route.Hash(session), Now: time.Now()})
	return order(&p)[:1]
}

func sessions(n int) (names []string) {
	for i := range n {
		names = append(names, "session-"+strconv.Itoa(i))
	}
	return names
}

// Two nodes that know nothing of each other agree, and the sessions are spread
// by weight.
func TestSessionsKeepToOneEndpoint(t *testing.T) {
	const n = 20_000
	m, other := model(5, 3, 2), model(5, 3, 2)
	homes := map[string]float64{}
	for _, s := range sessions(n) {
		at := home(m, s)
		homes[at]++
		if again := home(other, s); again != at {
			t.Fatalf("%s is at %s and at %s", s, at, again)
		}
	}
	for id, share := range map[string]float64{"a": 0.5, "b": 0.3, "c": 0.2} {
		// four standard deviations
		if d := math.Abs(homes[id] - share*n); d > 4*math.Sqrt(n*share*(1-share)) {
			t.Errorf("%s has %v of %d sessions, of a weight of %v", id, homes[id], n, share)
		}
	}
}

// An endpoint that goes takes only its own sessions along.
func TestSessionsMoveOnlyIfTheyMust(t *testing.T) {
	m := model(1, 1, 1, 1)
	before := map[string]string{}
	for _, s := range sessions(2000) {
		before[s] = home(m, s)
	}
	open(m.Endpoints[1], time.Now())
	for s, at := range before {
		if now := home(m, s); at != "b" && now != at || now == "b" {
			t.Fatalf("%s went from %s to %s", s, at, now)
		}
	}
}

// A favourite that has far more than its share of the load is passed over.
func TestSessionsAvoidACrowd(t *testing.T) {
	m := model(1, 1)
	at := ""
	for _, s := range sessions(50) {
		if at = home(m, s); at == "a" {
			m.Endpoints[0].State.InFlight.Store(100)
			m.Endpoints[1].State.InFlight.Store(80)
			if now := home(m, s); now != "a" {
				t.Errorf("%s left for a little more load", s)
			}
			m.Endpoints[1].State.InFlight.Store(10)
			if now := home(m, s); now != "b" {
				t.Errorf("%s stays in the crowd", s)
			}
			return
		}
	}
	t.Error("no session has its home at a")
}

// An endpoint that has just come back gets its share little by little.
func TestSlowStart(t *testing.T) {
	m := model(1, 1)
	s := m.Endpoints[0].State
	now := time.Now()
	down := fault.New(fault.Unavailable, "no answer")
	s.Probed(down, now)
	if home(m, "x"); !s.Available(now) {
		t.Error("one failed probe takes the endpoint out")
	}
	s.Probed(down, now)
	if s.Available(now) {
		t.Error("two failed probes leave the endpoint in")
	}
	s.Probed(nil, now)
	share := func(after time.Duration) float64 {
		const picks = 10_000
		n := 0.0
		var p route.Plan
		for range picks {
			p.Reset()
			if p.Add(m, &route.Constraints{Now: now.Add(after)}); order(&p)[0] == 'a' {
				n++
			}
		}
		return n / picks
	}
	// 0.1 beside 1, then half, then all of the weight
	for after, want := range map[time.Duration]float64{0: 1.0 / 11, 15 * time.Second: 1.0 / 3} {
		if got := share(after); math.Abs(got-want) > 0.03 {
			t.Errorf("after %s the share is %.3f, want %.3f", after, got, want)
		}
	}
	if got := share(time.Minute); math.Abs(got-0.5) > 0.03 {
		t.Errorf("at last the share is %.3f", got)
	}
}
