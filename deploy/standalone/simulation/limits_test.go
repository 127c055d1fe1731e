// Package simulation runs parts of several planes against each other in a time
// of its own.
package simulation

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	granting "github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	step  = 50 * time.Millisecond
	grace = 15 * time.Second
	// look is how many steps apart a node that nothing happens to looks whether it
	// has to report. Real ones do it with each; what they report is the same.
	look = 5
)

// nodes is the size of the fleet; there are ten times as many keys.
var nodes = flag.Int("nodes", 30, "nodes in the simulation of limits")

// fleet is nodes and daemons that exchange messages, some of which are lost.
type fleet struct {
	t     *testing.T
	dice  *rand.Rand
	now   time.Duration
	nodes []*node
	keys  []*key

	granter *granting.Granter
	zombie  *granting.Granter // has been succeeded and does not know
	skew    time.Duration     // of the granting daemon's clock
	kept    map[string]granting.Document
	loss    float64
	away    bool // no one grants

	messages, bytes, saved int
}

type node struct {
	name     string
	started  time.Duration
	drift    float64 // how much faster its clock runs
	instance uint64
	registry *limits.Registry
	counters map[int]*limits.Counter
	replies  []reply
	next     time.Duration // when it may report again
	dead     bool
	flights  []flight
	waiting  []waiting
}

// waiting is a request that waits for its grant.
type waiting struct {
	key   int
	until time.Duration
}

type reply struct {
	at, sent time.Duration
	data     []byte
}

type flight struct {
	until time.Duration
	hold  limits.Hold
	key   int
}

type key struct {
	def      granting.Definition
	admitted []time.Duration
	flying   int
	asked    int
}

func (n *node) clock(now time.Duration) time.Duration {
	return time.Duration(float64(now-n.started) * (1 + n.drift))
}

func (f *fleet) start(n *node) {
	n.instance++
	n.started, n.registry, n.counters, n.replies, n.dead = f.now, limits.NewRegistry(n.instance), map[int]*limits.Counter{}, nil, false
	n.registry.Begin()
	for i := range n.flights { // its requests died with it
		f.keys[n.flights[i].key].flying--
	}
	n.flights, n.waiting = nil, nil
}

// request has a node asked for a request of a key.
func (f *fleet) request(n *node, i int) {
	if n.dead {
		return
	}
	f.keys[i].asked++
	if !f.admit(n, i) {
		n.waiting = append(n.waiting, waiting{i, f.now + 2*step}) // a message takes one step
	}
}

// admit reports whether a node admits a request.
func (f *fleet) admit(n *node, i int) bool {
	k := f.keys[i]
	c := n.counters[i]
	if c == nil {
		c = n.registry.Counter(k.def.Holder, k.def.ID, &k.def.Limit)
		n.counters[i] = c
	}
	var h limits.Hold
	if n.registry.TryNow([]*limits.Counter{c}, &limits.Need{Tokens: 1, Cost: 1}, n.clock(f.now), &h) != nil {
		return false
	}
	k.admitted = append(k.admitted, f.now)
	if k.def.Kind != wire.LimitConcurrency {
		return true
	}
	k.flying++
	if int64(k.flying) > k.def.Value {
		f.t.Fatalf("%s: %d in flight of %s, at most %d", k.def.ID, k.flying, n.name, k.def.Value)
	}
	n.flights = append(n.flights, flight{until: f.now + time.Duration(f.dice.Int64N(int64(20*time.Second))), hold: h, key: i})
	return true
}

// retry has those that wait try again, as a reply makes them.
func (f *fleet) retry(n *node) {
	n.waiting = slices.DeleteFunc(n.waiting, func(w waiting) bool { return f.admit(n, w.key) || f.now >= w.until })
}

func (f *fleet) wall() time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(f.now)
}

// advance moves the time on by one step.
func (f *fleet) advance() {
	f.now += step
	for i, n := range f.nodes {
		kicked := len(n.registry.Kick()) > 0
		if n.dead || !kicked && len(n.replies) == 0 && len(n.waiting) == 0 && (int(f.now/step)+i)%look != 0 {
			continue
		}
		if kicked {
			<-n.registry.Kick()
		}
		n.flights = slices.DeleteFunc(n.flights, func(l flight) bool {
			if l.until > f.now {
				return false
			}
			l.hold.Release(n.registry)
			f.keys[l.key].flying--
			return true
		})
		n.registry.Turn(n.clock(f.now))
		f.exchange(n)
		f.retry(n)
	}
	if !f.away && f.now%time.Second == 0 {
		f.granter.Sweep(f.wall().Add(f.skew))
		f.save(f.granter)
	}
}

// exchange takes replies that have arrived, and reports.
func (f *fleet) exchange(n *node) {
	if len(n.replies) > 0 && n.replies[0].at <= f.now {
		r := n.replies[0]
		n.replies = n.replies[1:]
		m, err := wire.DecodeLeaseReply(r.data)
		if err != nil {
			f.t.Fatal(err)
		}
		n.registry.Apply(m, n.clock(r.sent), n.clock(f.now))
	}
	if f.now < n.next {
		return
	}
	m := n.registry.Report(n.clock(f.now), false)
	if m == nil {
		return
	}
	data := m.Append(nil)
	f.messages, f.bytes = f.messages+1, f.bytes+len(data)
	n.next = f.now + 2*step
	answered := false
	for _, g := range []*granting.Granter{f.granter, f.zombie} {
		answered = f.deliver(g, n, data) || answered
	}
	if !answered {
		n.registry.Failed()
		n.next = f.now + 5*step
	}
}

func (f *fleet) deliver(g *granting.Granter, n *node, data []byte) bool {
	if g == nil || f.away && g == f.granter || f.dice.Float64() < f.loss {
		return false
	}
	m, err := wire.DecodeLeaseReport(data)
	if err != nil {
		f.t.Fatal(err)
	}
	wall := f.wall()
	if g == f.granter {
		wall = wall.Add(f.skew)
	}
	out := g.Report(wall, n.name, m)
	if out == nil || !f.save(g) || f.dice.Float64() < f.loss {
		return false
	}
	b := out.Append(nil)
	f.messages, f.bytes = f.messages+1, f.bytes+len(b)
	n.replies = append(n.replies, reply{f.now + step, f.now, b})
	for name, counters := range g.Recalls() {
		f.messages++
		for _, n := range f.nodes {
			if n.name == name && !n.dead {
				n.registry.Recall(counters)
			}
		}
	}
	return true
}

// save keeps what has to be, which only the newest granter can.
func (f *fleet) save(g *granting.Granter) bool {
	docs, err := g.Unkept()
	if err != nil {
		f.t.Fatal(err)
	}
	if g != f.granter && len(docs) > 0 {
		f.zombie = nil // it has noticed
		return false
	}
	for _, d := range docs {
		f.kept[d.Name] = d
		f.saved += len(d.Data)
	}
	return true
}

// succeed starts another daemon, whose clock is wrong.
func (f *fleet) succeed(skew time.Duration, zombie bool) {
	f.zombie = nil
	if zombie {
		f.zombie = f.granter
	}
	state := granting.State{Empty: len(f.kept) == 0}
	for _, d := range f.kept {
		if err := state.Load(d); err != nil {
			f.t.Fatal(err)
		}
	}
	epoch := uint64(1)
	if f.granter != nil {
		epoch = f.granter.Epoch() + 1
	}
	state.Epoch = epoch - 1
	f.skew, f.away = skew, false
	f.granter = granting.New(f.wall().Add(skew), epoch, grace, state)
	var defs []granting.Definition
	for _, k := range f.keys {
		defs = append(defs, k.def)
	}
	f.granter.Define(f.wall().Add(skew), defs, epoch > 1)
}

// check holds every sliding minute to its limit and returns how much of what
// could be used was.
func (f *fleet) check() (used float64) {
	var admitted, could float64
	for _, k := range f.keys {
		if k.def.Kind != wire.LimitRPM {
			continue
		}
		for i := range k.admitted {
			if j := i + int(k.def.Value); j < len(k.admitted) && k.admitted[j]-k.admitted[i] < time.Minute {
				f.t.Fatalf("%s: %d admitted between %s and %s, at most %d", k.def.ID, k.def.Value+1, k.admitted[i], k.admitted[j], k.def.Value)
			}
		}
		admitted += float64(len(k.admitted))
		could += min(float64(k.asked), float64(k.def.Value)*f.now.Minutes())
	}
	return admitted / could
}

func newFleet(t *testing.T, nodes, keys int, seed uint64, limit func(i int) wire.Limit) *fleet {
	f := &fleet{t: t, dice: rand.New(rand.NewPCG(seed, 1)), kept: map[string]granting.Document{}}
	for i := range keys {
		f.keys = append(f.keys, &key{def: granting.Definition{Limit: limit(i), Holder: wire.HolderKey, ID: fmt.Sprintf("k%d", i)}})
	}
	f.succeed(0, false)
	for i := range nodes {
		n := &node{name: fmt.Sprintf("n%d", i), instance: uint64(i+1) << 32, drift: (f.dice.Float64() - 0.5) / 5000}
		f.start(n)
		f.nodes = append(f.nodes, n)
	}
	return f
}

// Messages are lost, clocks are wrong,
// nodes die and start again, and the daemon is succeeded in the middle of its
// work, also by one while it still answers. No limit is exceeded.
func TestLimitsAreNotExceeded(t *testing.T) {
	nodes, keys := *nodes, *nodes*10
	f := newFleet(t, nodes, keys, 7, func(i int) wire.Limit {
		if i%10 == 0 {
			return wire.Limit{Kind: wire.LimitConcurrency, Value: int64(1 + i%7)}
		}
		return wire.Limit{Kind: wire.LimitRPM, Value: int64(1 + i%13), OnOutage: []string{wire.OutageShare, wire.OutageClosed}[i%2]}
	})
	f.loss = 0.05
	for f.now < 2*time.Minute {
		for range min(nodes*2/5, 120) {
			k := f.dice.IntN(keys)
			if f.dice.IntN(2) == 0 {
				k %= nodes / 5 // those who ask for far more than they get
			}
			f.request(f.nodes[(k*31+f.dice.IntN(4)*7)%nodes], k)
		}
		if f.now == 40*time.Second {
			f.succeed(3*time.Second, true)
		}
		if f.now == 75*time.Second {
			f.away, f.zombie = true, nil
		}
		if f.now == 80*time.Second {
			f.succeed(-2*time.Second, false)
		}
		if f.dice.IntN(40) == 0 {
			n := f.nodes[f.dice.IntN(nodes)]
			if f.dice.IntN(2) == 0 {
				f.start(n)
			} else if !n.dead {
				f.start(n)
				n.dead = true
			}
		}
		f.advance()
	}
	used := f.check()
	perSecond := f.now.Seconds()
	t.Logf("%d nodes, %d keys: %.0f messages/s, %.0f KiB/s, %.1f KiB/s kept; %.1f %% of the limits was used",
		nodes, keys, float64(f.messages)/perSecond, float64(f.bytes)/perSecond/1024, float64(f.saved)/perSecond/1024, used*100)
}

// A node that was asked once and holds half of a limit gives back what it does
// not need when the others lack it: none of them says that it is used up. What
// is in flight comes and goes, so that less than a quarter of it is not asked for.
func TestIdleSharesAreGivenBack(t *testing.T) {
	for limit, percent := range map[wire.Limit]int64{
		{Kind: wire.LimitBudget, Reset: wire.ResetTotal, Value: 240}: 97, {Kind: wire.LimitRPD, Value: 240}: 97, {Kind: wire.LimitRPM, Value: 240}: 97, {Kind: wire.LimitConcurrency, Value: 24}: 75,
	} {
		t.Run(limit.Kind, func(t *testing.T) {
			f := newFleet(t, 3, 1, 1, func(int) wire.Limit { return limit })
			for _, d := range f.granter.Missing(f.wall()) {
				f.granter.Base(f.wall(), &d, 0)
			}
			k, want := f.keys[0], int(limit.Value*percent/100)
			f.request(f.nodes[0], 0)
			for range 5 {
				f.advance()
			}
			for f.now < 30*time.Second && len(k.admitted) < want {
				for i := range 4 {
					f.request(f.nodes[1+i%2], 0)
				}
				f.advance()
				if used := len(k.admitted); used < want && f.dry(0) {
					t.Fatalf("after %s a node says that nothing is left, and %d of %d are used", f.now, used, limit.Value)
				}
			}
			if used := len(k.admitted); used < want {
				t.Errorf("%d of %d were used", used, limit.Value)
			}
		})
	}
}

// A limit may be lowered below what is leased, and below what is used: from the
// moment at which nodes know of it they admit no more than is left of it, and they
// use all of what is left.
func TestALimitThatIsLowered(t *testing.T) {
	for _, limit := range []wire.Limit{
		{Kind: wire.LimitBudget, Reset: wire.ResetTotal, Value: 900}, {Kind: wire.LimitRPD, Value: 900}, {Kind: wire.LimitRPM, Value: 900},
	} {
		for lower, want := range map[int64]int{220: 220, 100: 0} { // above what is used, and below
			t.Run(fmt.Sprint(limit.Kind, " to ", lower), func(t *testing.T) {
				f := newFleet(t, 3, 1, 1, func(int) wire.Limit { return limit })
				for _, d := range f.granter.Missing(f.wall()) {
					f.granter.Base(f.wall(), &d, 0)
				}
				k := f.keys[0]
				for len(k.admitted) < 200 {
					for _, n := range f.nodes {
						f.request(n, 0)
					}
					f.advance()
				}
				used, leased := len(k.admitted), f.leased(0)
				if int64(used)+leased <= lower {
					t.Fatalf("%d are used and %d leased, not more than %d", used, leased, lower)
				}
				k.def.Value = lower
				f.granter.Define(f.wall(), []granting.Definition{k.def}, false)
				for _, n := range f.nodes {
					n.registry.Begin()
					n.registry.Counter(k.def.Holder, k.def.ID, &k.def.Limit)
					n.registry.End()
				}
				for end := f.now + 10*time.Second; f.now < end; f.advance() {
					for _, n := range f.nodes {
						f.request(n, 0)
					}
					if got := len(k.admitted); got > max(used, want) {
						t.Fatalf("%d were admitted of %d; %d were used before", got, lower, used)
					}
				}
				if got := len(k.admitted); got < max(used, want) {
					t.Errorf("%d were admitted of %d", got, lower)
				}
				if want == 0 && !f.dry(0) {
					t.Error("no node says that it is used up")
				}
			})
		}
	}
}

// leased is what nodes hold of a key's limit and have not used.
func (f *fleet) leased(i int) (sum int64) {
	d := &f.keys[i].def
	for _, s := range f.granter.States(f.wall(), &wire.LimitQuestion{Counters: []uint64{d.Counter(d.Holder, d.ID)}}).States {
		sum += s.Leased
	}
	return sum
}

// dry reports whether a node says that nothing is left of a key's limit.
func (f *fleet) dry(i int) bool {
	for _, n := range f.nodes {
		var h limits.Hold
		if c := n.counters[i]; c != nil {
			if p := n.registry.TryNow([]*limits.Counter{c}, &limits.Need{Cost: 1}, n.clock(f.now), &h); p != nil && !p.Outage {
				return true
			}
			h.Release(n.registry)
		}
	}
	return false
}

// Without faults nearly all of a limit is used that is asked for.
func TestLimitsAreUsed(t *testing.T) {
	f := newFleet(t, 3, 3, 1, func(i int) wire.Limit { return wire.Limit{Kind: wire.LimitRPM, Value: []int64{10, 600, 6000}[i]} })
	for f.now < 3*time.Minute {
		for k := range 3 {
			for range int(f.keys[k].def.Value)/60 + 1 {
				f.request(f.nodes[f.dice.IntN(3)], k)
			}
		}
		f.advance()
	}
	if used := f.check(); used < 0.97 {
		t.Errorf("%.1f %% was used, want 97", used*100)
	}
	for _, k := range f.keys {
		t.Logf("limit %d: %.1f a minute", k.def.Value, float64(len(k.admitted))/f.now.Minutes())
	}
}
