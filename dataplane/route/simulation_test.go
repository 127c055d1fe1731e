package route_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// scripted is a server with a prompt cache and a queue, in the time of a
// simulation.
type scripted struct {
	cached map[int]bool    // conversations
	slots  []time.Duration // when each of its places becomes free
	slow   float64         // factor of its time for a prompt
	down   func(at time.Duration) bool
}

const (
	promptTime = 300 * time.Millisecond // of a prompt that is not cached
	cachedTime = 40 * time.Millisecond
	answerTime = 400 * time.Millisecond
)

// serve returns when a request that comes has its first token, and its last.
func (s *scripted) serve(conversation int, at time.Duration) (first, last time.Duration, hit bool) {
	slot := 0
	for i := range s.slots {
		if s.slots[i] < s.slots[slot] {
			slot = i
		}
	}
	work := promptTime
	if hit = s.cached[conversation]; hit {
		work = cachedTime
	}
	s.cached[conversation] = true
	first = max(at, s.slots[slot]) + time.Duration(s.slow*float64(work))
	last = first + answerTime
	s.slots[slot] = last
	return first, last, hit
}

// simulation plays requests of conversations against servers, by a clock of its own.
type simulation struct {
	model   *snapshot.Model
	servers []*scripted
	start   time.Time
	due     []due // what happens later
	first   []time.Duration
	served  []float64
	hits    float64
	failed  int
}

// due is something that happens at a time.
type due struct {
	at time.Duration
	do func()
}

func newSimulation(policy snapshot.Policy, affinity snapshot.Affinity, servers int) *simulation {
	s := &simulation{start: time.Unix(1_780_000_000, 0), served: make([]float64, servers)}
	s.model = of(policy, slices.Repeat([]float64{1}, servers)...)
	s.model.Affinity = affinity
	same, err := price.New(wire.Pricing{Prompt: "1", Completion: "2"})
	if err != nil {
		panic(err)
	}
	for _, e := range s.model.Endpoints {
		e.Price, e.MaxConcurrency = same, 64
		s.servers = append(s.servers, &scripted{cached: map[int]bool{}, slots: make([]time.Duration, 64/servers), slow: 1, down: func(time.Duration) bool { return false }})
	}
	return s
}

// later has something happen at a time.
func (s *simulation) later(at time.Duration, do func()) {
	i, _ := slices.BinarySearchFunc(s.due, at, func(d due, at time.Duration) int { return cmp.Compare(d.at, at) })
	s.due = slices.Insert(s.due, i, due{at, do})
}

func (s *simulation) until(at time.Duration) {
	for len(s.due) > 0 && s.due[0].at <= at {
		next := s.due[0]
		s.due = s.due[1:]
		next.do()
	}
}

// request sends one to the endpoints of its plan until one answers.
func (s *simulation) request(conversation int, at time.Duration) {
	s.until(at)
	now := s.start.Add(at)
	hash := route.Hash("conversation " + strconv.Itoa(conversation))
	var p route.Plan
	p.Add(s.model, &route.Constraints{Session: hash, Now: now, Shape: route.Shape{Streamed: true, Prompt: 4000}})
	for _, c := range p.Candidates() {
		place, ok := c.Endpoint.State.Acquire(now, c.Endpoint.MaxConcurrency)
		if !ok {
			continue
		}
		i := slices.Index(s.model.Endpoints, c.Endpoint)
		latency := c.Endpoint.State.Latency(true)
		latency.Tried(now)
		if s.servers[i].down(at) {
			clear(s.servers[i].cached)
			place.Failed(fault.New(fault.Unavailable, "connection refused"), now)
			place.Release()
			continue
		}
		first, last, hit := s.servers[i].serve(conversation, at)
		if s.first = append(s.first, first-at); hit {
			s.hits++
		}
		s.served[i]++
		s.later(first, func() {
			latency.Note(first-at, s.start.Add(first))
			place.Succeeded()
		})
		s.later(last, place.Release)
		return
	}
	s.failed++
}

// play sends 6,000 requests of 300 conversations, 60 in a second.
func (s *simulation) play() {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 6_000 {
		s.request(i/200*10+random.IntN(10)+random.IntN(50), time.Duration(i)*time.Second/60)
	}
	s.until(time.Hour)
	slices.Sort(s.first)
}

func (s *simulation) hitRate() float64 { return s.hits / float64(len(s.first)) }

func (s *simulation) percentile(p int) time.Duration { return s.first[len(s.first)*p/100] }

// spread is the largest share of the requests at an endpoint, of its even share.
func (s *simulation) spread() float64 {
	return slices.Max(s.served) * float64(len(s.served)) / float64(len(s.first))
}

// Under every policy conversations find their caches again, also while an
// endpoint is lost and comes back.
func TestSimulation(t *testing.T) {
	single := newSimulation(snapshot.Weighted, snapshot.NoAffinity, 1)
	single.play()
	t.Logf("%-34s %5.1f %%  %8s %8s", "a single server of the same size", 100*single.hitRate(), single.percentile(50), single.percentile(99))
	scenarios := []struct {
		name  string
		least float64 // of the single server's hit rate, where affinity holds
		set   func(s *simulation)
	}{
		{"all well", 0.95, func(*simulation) {}},
		{"one lost for 30 s", 0.90, func(s *simulation) {
			s.servers[1].down = func(at time.Duration) bool { return at > 30*time.Second && at < 60*time.Second }
		}},
		{"one slow", 0, func(s *simulation) { s.servers[2].slow = 8 }},
	}
	for _, scenario := range scenarios {
		run := func(policy string, affinity snapshot.Affinity, what string) *simulation {
			s := newSimulation(policies[policy], affinity, 4)
			scenario.set(s)
			s.play()
			t.Logf("%-18s %-11s %-8s %5.1f %%  p50 %8s  p99 %8s  spread %.2f  failed %d", scenario.name, policy, what, 100*s.hitRate(),
				s.percentile(50).Round(time.Millisecond), s.percentile(99).Round(time.Millisecond), s.spread(), s.failed)
			if s.failed > 0 {
				t.Errorf("%s, %s: %d requests failed", scenario.name, policy, s.failed)
			}
			return s
		}
		chance := run(wire.PolicyWeighted, snapshot.NoAffinity, "none")
		for _, policy := range wire.Policies() {
			s := run(policy, snapshot.ByPrefix, "affinity")
			if s.hitRate() < scenario.least*single.hitRate() || s.hitRate() <= chance.hitRate() {
				t.Errorf("%s, %s: hit rate %.3f, of a single server %.3f, by chance %.3f", scenario.name, policy, s.hitRate(), single.hitRate(), chance.hitRate())
			}
			if scenario.name == "one slow" && policy == wire.PolicyLatency && s.percentile(99) > chance.percentile(99)/2 {
				t.Errorf("p99 to the first token %s, by weight %s", s.percentile(99), chance.percentile(99))
			}
		}
	}
}
