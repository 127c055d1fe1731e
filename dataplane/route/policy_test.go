package route_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

var policies = map[string]snapshot.Policy{
	wire.PolicyWeighted: snapshot.Weighted, wire.PolicyPriority: snapshot.Priority, wire.PolicyLeastBusy: snapshot.LeastBusy,
	wire.PolicyLatency: snapshot.Latency, wire.PolicyCost: snapshot.Cost,
}

// of is a model of that policy.
func of(policy snapshot.Policy, weights ...float64) *snapshot.Model {
	m := model(weights...)
	m.Policy, m.Answers = policy, snapshot.NewAnswers()
	return m
}

func plans(m *snapshot.Model, w route.Constraints) string {
	var p route.Plan
	p.Add(m, &w)
	return order(&p)
}

// shares are the parts of many requests that have an order of candidates.
func shares(m *snapshot.Model, w route.Constraints) map[string]float64 {
	const picks = 4000
	n := map[string]float64{}
	for range picks {
		n[plans(m, w)] += 1.0 / picks
	}
	return n
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 0.04 {
		t.Errorf("%s: %.3f, want %.3f", what, got, want)
	}
}

// The lowest priority with room is used, by weight within it; it spills over
// when it is full or its servers have a queue, and comes back by itself.
func TestPriority(t *testing.T) {
	now := time.Now()
	m := of(snapshot.Priority, 3, 1, 1)
	m.Endpoints[2].Priority = 1
	m.Endpoints[0].MaxConcurrency, m.Endpoints[1].MaxConcurrency = 2, 2
	w := route.Constraints{Now: now}
	got := shares(m, w)
	near(t, "abc", got["abc"], 0.75)
	near(t, "bac", got["bac"], 0.25)
	a, b := m.Endpoints[0].State, m.Endpoints[1].State
	a.InFlight.Store(2)
	if got := plans(m, w); got != "bc" {
		t.Errorf("with a full: %s", got)
	}
	b.InFlight.Store(2)
	if got := plans(m, w); got != "c" {
		t.Errorf("with a and b full: %s", got)
	}
	a.InFlight.Store(1)
	if got := plans(m, w); got != "ac" {
		t.Errorf("with room at a: %s", got)
	}
	b.InFlight.Store(0)
	a.SetLoad(upstream.Load{Waiting: 1}, now.Add(time.Second))
	if got := plans(m, w); got != "bca" {
		t.Errorf("with a queue at a: %s", got)
	}
	b.SetLoad(upstream.Load{Running: 5, Cache: 0.96}, now.Add(time.Second))
	if got := plans(m, w); got != "cab" && got != "cba" {
		t.Errorf("with queues at a and b: %s", got)
	}
	if got := plans(m, route.Constraints{Now: now.Add(time.Minute)}); got[2] != 'c' {
		t.Errorf("loads of long ago count: %s", got)
	}
	open(m.Endpoints[0], now)
	open(m.Endpoints[1], now)
	if got := plans(m, w); got != "c" {
		t.Errorf("with a and b down: %s", got)
	}
}

// An endpoint that comes back is not given all requests at once, although
// nothing else has its priority.
func TestPriorityComesBackSlowly(t *testing.T) {
	now := time.Now()
	m := of(snapshot.Priority, 1, 1)
	m.Endpoints[1].Priority = 1
	s := m.Endpoints[0].State
	for range 2 {
		s.Probed(errors.New("down"), now)
	}
	s.Probed(nil, now)
	near(t, "at once", shares(m, route.Constraints{Now: now})["ab"], 0.1)
	near(t, "half-way", shares(m, route.Constraints{Now: now.Add(15 * time.Second)})["ab"], 0.5)
	near(t, "at last", shares(m, route.Constraints{Now: now.Add(time.Minute)})["ab"], 1)
}

// Of two by weight the less busy one is first, in proportion to what they can do.
func TestLeastBusy(t *testing.T) {
	now := time.Now()
	w := route.Constraints{Now: now}
	m := of(snapshot.LeastBusy, 3, 1)
	near(t, "idle: by weight", shares(m, w)["ab"], 0.75)
	a, b := m.Endpoints[0], m.Endpoints[1]
	a.State.InFlight.Store(4)
	b.State.InFlight.Store(1)
	if got := plans(m, w); got != "ba" { // 4/3 and 1
		t.Errorf("without limits: %s", got)
	}
	a.MaxConcurrency, b.MaxConcurrency = 40, 5
	if got := plans(m, w); got != "ab" { // 10 % and 20 %
		t.Errorf("with limits: %s", got)
	}
	b.State.InFlight.Store(0)
	b.State.SetLoad(upstream.Load{Running: 1}, now.Add(time.Second))
	if got := plans(m, w); got != "ab" {
		t.Errorf("with requests of others at b: %s", got)
	}
	a.State.SetLoad(upstream.Load{Running: 4, Waiting: 1}, now.Add(time.Second))
	if got := plans(m, w); got != "ba" {
		t.Errorf("with a queue at a: %s", got)
	}
	four := of(snapshot.LeastBusy, 1, 1, 1, 1)
	four.Endpoints[0].State.InFlight.Store(9)
	four.Endpoints[1].State.InFlight.Store(8)
	for got := range shares(four, w) { // the worst is never first, and last of the fallbacks
		if got[3] != 'a' {
			t.Errorf("order %s", got)
		}
	}
}

func TestLatencyPolicy(t *testing.T) {
	now := time.Now()
	w := route.Constraints{Now: now, Shape: route.Shape{Streamed: true}}
	m := of(snapshot.Latency, 1, 1, 1)
	note := func(i int, d time.Duration, at time.Time) {
		m.Endpoints[i].State.Latency(true).Tried(at)
		m.Endpoints[i].State.Latency(true).Note(d, at)
	}
	note(0, 100*time.Millisecond, now)
	note(1, 200*time.Millisecond, now)
	// c is unknown, and first whenever it is drawn: in two of three pairs
	first := func(w route.Constraints) map[string]float64 {
		n := map[string]float64{}
		for plan, share := range shares(m, w) {
			n[plan[:1]] += share
		}
		return n
	}
	got := first(w)
	near(t, "unknown", got["c"], 2.0/3)
	m.Endpoints[2].State.Latency(true).Tried(now)
	got = first(w)
	near(t, "one request is trying it", got["c"], 0)
	near(t, "the fastest", got["a"], 2.0/3)
	note(2, 300*time.Millisecond, now)
	near(t, "the slowest", first(w)["c"], 0)
	note(0, 3*time.Second, now) // it has become slow
	near(t, "what has become slow", first(w)["a"], 0)
	later := now.Add(40 * time.Second)
	note(1, 200*time.Millisecond, later)
	note(2, 300*time.Millisecond, later)
	if got := first(route.Constraints{Now: later, Shape: route.Shape{Streamed: true}}); got["a"] < 0.5 {
		t.Errorf("what was slow long ago is not tried: %v", got)
	}
	if got := first(route.Constraints{Now: later})["a"]; got < 0.2 || got > 0.5 {
		t.Errorf("answers in one piece go by streams: %v", got)
	}
}

// The cheapest by the request's own shape is first.
func TestCost(t *testing.T) {
	m := of(snapshot.Cost, 1, 1, 1)
	m.Affinity = snapshot.ByPrefix
	costs := func(i int, prompt, completion, cached string) {
		list, err := price.New(wire.Pricing{Prompt: prompt, Completion: completion, CacheRead: cached})
		if err != nil {
			t.Fatal(err)
		}
		m.Endpoints[i].Price = list
	}
	costs(0, "1", "2", "")    // cheap answers
	costs(1, "0.5", "9", "")  // cheap prompts
	costs(2, "1.2", "3", "0") // cheap once it is cached
	f := func(want string, s route.Shape, prefix uint64) {
		t.Helper()
		if got := plans(m, route.Constraints{Now: time.Now(), Shape: s, Prefix: prefix}); got != want {
			t.Errorf("%+v: %s, want %s", s, got, want)
		}
	}
	f("acb", route.Shape{Prompt: 100}, 1)
	f("bac", route.Shape{Prompt: 100_000}, 1)
	f("bac", route.Shape{Prompt: 1000, MaxCompletion: 10}, 1)
	f("cba", route.Shape{Prompt: 100_000, Sent: 99_000}, 1)
	f("bac", route.Shape{Prompt: 100_000, Sent: 99_000}, 0) // nothing keeps the conversation where it is
	m.Endpoints[1].Price = nil
	f("acb", route.Shape{Prompt: 100_000}, 1) // what is unknown is dear
	// equals share by weight
	for i := range 3 {
		costs(i, "1", "2", "")
	}
	for _, share := range shares(m, route.Constraints{Now: time.Now()}) {
		near(t, "one of six orders", share, 1.0/6)
	}
}

// The client's preferences come before any policy, and a policy before what they
// leave open.
func TestPreferencesComeBeforePolicy(t *testing.T) {
	for name, policy := range policies {
		m := catalog(t, "m")
		m.Policy, m.Answers = policy, snapshot.NewAnswers()
		for i, e := range m.Endpoints { // by any policy c is first, then a
			e.Priority = []int{1, 2, 0}[i]
			e.MaxConcurrency = 100
			e.State.InFlight.Store([]int64{5, 9, 1}[i])
			e.State.Latency(false).Note([]time.Duration{time.Second, 2 * time.Second, time.Millisecond}[i], time.Now())
		}
		target := route.Target{Model: m}
		for range 50 {
			for raw, want := range map[string]string{
				`{"order":["b","a"],"only":["a","b"]}`: "b a",
				`{"order":["b"],"ignore":["c"]}`:       "b a",
				`{"only":["b"]}`:                       "b",
				`{"sort":"price"}`:                     "c a b",
				`{"sort":"price","order":["b"]}`:       "b c a",
				`{"zdr":true}`:                         "a",
			} {
				if got := ids(plan(t, raw, 0, target)); got != want {
					t.Fatalf("%s, %s: %q, want %q", name, raw, got, want)
				}
			}
			if policy == snapshot.Weighted {
				continue
			}
			if got := ids(plan(t, `{"ignore":["c"]}`, 0, target)); got != "a b" {
				t.Fatalf("%s: of what is left %q", name, got)
			}
			if got := ids(plan(t, `{"order":["hosted"]}`, 0, target)); got != "c b a" {
				t.Fatalf("%s: within what is preferred %q", name, got)
			}
			if got := ids(plan(t, `{"allow_fallbacks":false,"only":["a","b"]}`, 0, target)); got != "a" {
				t.Fatalf("%s: without fallbacks %q", name, got)
			}
		}
	}
}

// Under every policy affinity yields to breakers, health checks, cool-downs and
// max_concurrency, and what leaves takes only its own requests along.
func TestLimitsComeBeforeAffinity(t *testing.T) {
	now := time.Now()
	for name, policy := range policies {
		m := of(policy, 1, 1, 1, 1)
		m.Affinity = snapshot.ByPrefix
		home := func(i int) string {
			return plans(m, route.Constraints{Prefix: route.Hash(strconv.Itoa(i)), Now: now})
		}
		before := map[int]string{}
		for i := range 400 {
			before[i] = home(i)
		}
		for what, leave := range []func(){
			func() { open(m.Endpoints[0], now) },
			func() {
				for range 2 {
					m.Endpoints[1].State.Probed(errors.New("down"), now)
				}
			},
			func() {
				m.Endpoints[2].MaxConcurrency = 1
				m.Endpoints[2].State.InFlight.Store(1)
			},
		} {
			leave()
			gone := "abc"[:what+1]
			for i, was := range before {
				is := home(i)
				if strings.ContainsAny(is, gone) || !strings.Contains(gone, was[:1]) && is[:1] != was[:1] {
					t.Fatalf("%s without %s: %s went to %s", name, gone, was, is)
				}
			}
		}
		place, _ := m.Endpoints[3].State.Acquire(now, 0)
		place.Failed(&fault.Error{Kind: fault.RateLimit, RetryAfter: time.Minute}, now)
		place.Release()
		if got := home(1); strings.Contains(got, "d") {
			t.Errorf("%s: a cool-down yields to affinity: %s", name, got)
		}
	}
}

// A prefix is at the same endpoint on four nodes, weights keep their shares, and
// so does a policy that holds all for equal.
func TestPrefixesKeepWeights(t *testing.T) {
	const n = 20_000
	nodes := []*snapshot.Model{}
	for range 4 {
		m := of(snapshot.Weighted, 5, 3, 2)
		m.Affinity = snapshot.ByPrefix
		nodes = append(nodes, m)
	}
	homes := map[string]float64{}
	for i := range n {
		w := route.Constraints{Prefix: unitHash(i), Now: time.Now()}
		at := plans(nodes[0], w)
		homes[at[:1]]++
		for _, other := range nodes[1:] {
			if again := plans(other, w); again != at {
				t.Fatalf("prefix %d: %s and %s", i, at, again)
			}
		}
	}
	// chi-square with two degrees of freedom: 18.4 is passed by chance once in 10,000 runs
	chi := 0.0
	for id, share := range map[string]float64{"a": 0.5, "b": 0.3, "c": 0.2} {
		d := homes[id] - share*n
		chi += d * d / (share * n)
	}
	if chi > 18.4 {
		t.Errorf("homes %v, chi-square %.1f", homes, chi)
	}
}

// unitHash is a hash as Prefix has them.
func unitHash(i int) uint64 { return route.Hash("prefix " + strconv.Itoa(i)) }

func TestAffinityIsWhatTheModelSays(t *testing.T) {
	m := of(snapshot.Weighted, 1, 1)
	both := route.Constraints{Session: 1, Prefix: 2}
	for affinity, want := range map[snapshot.Affinity]uint64{snapshot.BySession: 1, snapshot.ByPrefix: 1, snapshot.NoAffinity: 0} {
		if m.Affinity = affinity; both.Affinity(m) != want {
			t.Errorf("affinity %d: %d", affinity, both.Affinity(m))
		}
	}
	prefix := route.Constraints{Prefix: 2}
	for affinity, want := range map[snapshot.Affinity]uint64{snapshot.BySession: 0, snapshot.ByPrefix: 2, snapshot.NoAffinity: 0} {
		if m.Affinity = affinity; prefix.Affinity(m) != want || (&route.Constraints{}).WantsPrefix(m) != (want != 0) {
			t.Errorf("affinity %d without a session: %d", affinity, prefix.Affinity(m))
		}
	}
	m.Affinity = snapshot.ByPrefix
	if both.WantsPrefix(m) {
		t.Error("a request with a session needs a prefix")
	}
	m.Endpoints = m.Endpoints[:1]
	if prefix.Affinity(m) != 0 || (&route.Constraints{}).WantsPrefix(m) {
		t.Error("a model with one endpoint has affinity")
	}
}

// A session leaves the endpoint that has its cache for one that is much faster,
// or when its server has a queue and the other has none.
func TestSessionsLeaveForMuchBetter(t *testing.T) {
	now := time.Now()
	m := of(snapshot.Latency, 1, 1)
	w := route.Constraints{Session: 7, Now: now}
	at := strings.IndexByte("ab", plans(m, w)[0])
	home, other := m.Endpoints[at], m.Endpoints[1-at]
	stays := func(what string, want bool) {
		t.Helper()
		if got := plans(m, w)[:1] == home.ID; got != want {
			t.Errorf("%s: stays %v", what, got)
		}
	}
	home.State.Latency(false).Tried(now)
	stays("while it is tried", true)
	home.State.Latency(false).Note(200*time.Millisecond, now)
	stays("beside an unknown", true)
	other.State.Latency(false).Note(150*time.Millisecond, now)
	stays("beside a faster", true)
	home.State.Latency(false).Note(2*time.Second, now)
	stays("beside a much faster", false)
	m.Policy = snapshot.LeastBusy
	home.State.InFlight.Store(5)
	stays("with some load", true)
	home.State.SetLoad(upstream.Load{Waiting: 2}, now.Add(time.Second))
	stays("with a queue", false)
	other.State.SetLoad(upstream.Load{Waiting: 1}, now.Add(time.Second))
	stays("with queues at both", true)
}

// planned is a model of five endpoints about which everything is known, and a
// request.
func planned(t testing.TB, policy snapshot.Policy) (*snapshot.Model, *route.Constraints) {
	t.Helper()
	m := of(policy, 1, 2, 3, 4, 5)
	m.Affinity = snapshot.ByPrefix
	now := time.Now()
	for i, e := range m.Endpoints {
		list, err := price.New(wire.Pricing{Prompt: strconv.Itoa(i), Completion: "2", CacheRead: "0.1"})
		if err != nil {
			t.Fatal(err)
		}
		e.Price, e.Priority, e.MaxConcurrency = list, i/2, 100
		e.State.InFlight.Store(int64(i))
		e.State.SetLoad(upstream.Load{Running: float64(i)}, now.Add(time.Hour))
		e.State.Latency(false).Note(time.Duration(i+1)*time.Millisecond, now)
	}
	return m, &route.Constraints{Now: now, Shape: route.Shape{Prompt: 1000, Sent: 900}}
}

func TestPlanningAllocatesNothing(t *testing.T) {
	for name, policy := range policies {
		for _, prefix := range []uint64{0, 99} {
			m, w := planned(t, policy)
			w.Prefix = prefix
			targets := []route.Target{{Model: m}}
			var p route.Plan
			if n := testing.AllocsPerRun(100, func() {
				p.Reset()
				p.Add(m, w)
				p.Reset()
				p.Prefer(w, targets)
			}); n != 0 || len(p.Candidates()) != 5 {
				t.Errorf("%s: %v allocations, %d candidates", name, n, len(p.Candidates()))
			}
		}
	}
}

func BenchmarkPolicies(b *testing.B) {
	for _, name := range wire.Policies() {
		for suffix, prefix := range map[string]uint64{"": 0, " with affinity": 99} {
			b.Run(name+suffix, func(b *testing.B) {
				m, w := planned(b, policies[name])
				w.Prefix = prefix
				var p route.Plan
				b.ReportAllocs()
				for b.Loop() {
					p.Reset()
					p.Add(m, w)
				}
			})
		}
	}
}
