package limits_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	grace = 15 * time.Second
	first = 1_000 // the first daemon's epoch
)

// fleet is a granter and what its nodes hold.
type fleet struct {
	t     *testing.T
	now   time.Time
	g     *limits.Granter
	def   limits.Definition
	seq   uint64
	epoch map[string]uint64 // the nodes'
	kept  map[string]limits.Document
}

func newFleet(t *testing.T, l wire.Limit) *fleet {
	t.Helper()
	f := &fleet{
		t: t, now: time.Date(2030, 5, 15, 12, 0, 0, 0, time.UTC), def: limits.Definition{Limit: l, Holder: wire.HolderKey, ID: "k"},
		epoch: map[string]uint64{}, kept: map[string]limits.Document{},
	}
	f.g = limits.New(f.now, first, grace, limits.State{})
	f.g.Define(f.now, []limits.Definition{f.def}, false)
	f.base(0)
	return f
}

// base says what the request log has, if it is asked for.
func (f *fleet) base(spent int64) {
	for _, d := range f.g.Missing(f.now) {
		f.g.Base(f.now, &d, spent)
	}
}

// report has a node report; the share is what it gets. A node's instance is 1
// unless its name ends in one.
func (f *fleet) report(node string, instance uint64, use wire.LeaseUse) (grant wire.LeaseGrant) {
	f.t.Helper()
	use.Counter = f.def.Counter(f.def.Holder, f.def.ID)
	use.Period, _ = f.def.Period(f.now)
	return f.send(node, &wire.LeaseReport{Instance: instance, Uses: []wire.LeaseUse{use}})
}

func (f *fleet) send(node string, r *wire.LeaseReport) (grant wire.LeaseGrant) {
	f.t.Helper()
	f.seq++
	name := fmt.Sprint(node, r.Instance)
	r.Seq, r.Epoch, r.Heard = f.seq, f.epoch[name], time.Millisecond
	reply := f.g.Report(f.now, node, r)
	if reply == nil {
		f.t.Fatalf("%s: no reply", node)
	}
	f.keep()
	f.epoch[name] = reply.Epoch
	if len(reply.Grants) > 0 {
		grant = reply.Grants[0]
	}
	return grant
}

func (f *fleet) keep() {
	f.t.Helper()
	docs, err := f.g.Unkept()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, d := range docs {
		if f.kept[d.Name] = d; d.Void {
			delete(f.kept, d.Name)
		}
	}
}

// succeed starts another daemon with documents of the first one.
func (f *fleet) succeed(kept map[string]limits.Document, claimed time.Time) {
	f.t.Helper()
	state := limits.State{Empty: len(kept) == 0, Epoch: first, Claimed: claimed}
	for _, d := range kept {
		if err := state.Load(d); err != nil {
			f.t.Fatal(err)
		}
	}
	f.g = limits.New(f.now, f.g.Epoch()+1, grace, state)
	f.g.Define(f.now, []limits.Definition{f.def}, true)
}

// follow starts another daemon that loses nothing.
func (f *fleet) follow() {
	f.t.Helper()
	before := f.g.Epoch()
	state := limits.State{Epoch: before, Claimed: f.now}
	for _, d := range f.kept {
		if err := state.Load(d); err != nil {
			f.t.Fatal(err)
		}
	}
	f.g = limits.New(f.now, before+1, grace, state)
	f.g.Define(f.now, []limits.Definition{f.def}, true)
}

// sweep lets the daemon watch over its nodes for a time.
func (f *fleet) sweep(lasts time.Duration) {
	for end := f.now.Add(lasts); f.now.Before(end); f.now = f.now.Add(min(time.Hour, max(time.Second, lasts/20))) {
		f.g.Sweep(f.now)
		f.keep()
	}
}

func rpm(n int64) wire.Limit { return wire.Limit{Kind: wire.LimitRPM, Value: n} }

func budget(n int64, reset string) wire.Limit {
	return wire.Limit{Kind: wire.LimitBudget, Reset: reset, Value: n}
}

// Whoever asks first for far more than there is leaves the others something.
func TestTheFirstDoesNotGetAll(t *testing.T) {
	for _, l := range []wire.Limit{rpm(10), rpm(240), {Kind: wire.LimitConcurrency, Value: 9}, {Kind: wire.LimitRPD, Value: 100}, {Kind: wire.LimitTPM, Value: 1e6}} {
		f := newFleet(t, l)
		for i := range 4 {
			if g := f.report(fmt.Sprint("n", i), 1, wire.LeaseUse{Demand: 50 * l.Value, Need: 1}); g.Share < 1 || g.Share > l.Value/2 || g.Dry {
				t.Errorf("%s %d: node %d got %+v", l.Name(), l.Value, i, g)
			}
		}
	}
}

// A node that has had more than its part is not told that nothing is left while
// there is.
func TestNotDryBeyondTheFairPart(t *testing.T) {
	f := newFleet(t, rpm(600))
	f.report("busy", 1, wire.LeaseUse{Demand: 5000, Need: 1})
	if g := f.report("slow", 1, wire.LeaseUse{Used: 9, Held: 9, Demand: 1}); g.Dry || g.Share < 10 {
		t.Errorf("%+v", g)
	}
	for range 400 {
		f.report("busy", 1, wire.LeaseUse{Used: 591, Held: 591, Demand: 5000, Need: 1})
		if g := f.report("slow", 1, wire.LeaseUse{Used: 9, Held: 9, Demand: 1, Need: 1}); !g.Dry || g.Share > 9 || g.Retry > 0 {
			t.Fatalf("nothing is left, and the node gets %+v", g)
		}
	}
}

// Of a limit that one node holds and another lacks nothing is refused: the holder
// is asked to report at once, and what it does not need goes to the other.
func TestIdleSharesAreAskedFor(t *testing.T) {
	for _, l := range []wire.Limit{rpm(240), budget(240, wire.ResetTotal), {Kind: wire.LimitRPD, Value: 240}, {Kind: wire.LimitConcurrency, Value: 240}} {
		f := newFleet(t, l)
		f.report("idle", 1, wire.LeaseUse{Held: 240, Used: 3}) // it holds all by an earlier grant
		if g := f.report("busy", 1, wire.LeaseUse{Demand: 500, Need: 1}); g.Dry {
			t.Errorf("%s: refused, and %d are idle", l.Name(), 237)
		}
		counter := f.def.Counter(f.def.Holder, f.def.ID)
		if asked := f.g.Recalls(); len(asked) != 1 || !slices.Equal(asked["idle"], []uint64{counter}) {
			t.Fatalf("%s: asked are %v", l.Name(), asked)
		}
		if asked := f.g.Recalls(); len(asked) > 0 {
			t.Errorf("%s: asked again are %v", l.Name(), asked)
		}
		g := f.report("idle", 1, wire.LeaseUse{Held: 240, Used: 3}) // its share gets smaller
		f.report("idle", 1, wire.LeaseUse{Held: g.Share, Used: 3})
		if g := f.report("busy", 1, wire.LeaseUse{Demand: 500, Need: 1}); g.Share < 10 {
			t.Errorf("%s: %+v", l.Name(), g)
		}
	}
}

// Whatever nodes report, restart and fall silent, all shares with what nodes
// that are gone may have used are within the limit.
func TestSharesAreWithinTheLimit(t *testing.T) {
	for _, l := range []wire.Limit{rpm(50), budget(1000, wire.ResetTotal), {Kind: wire.LimitConcurrency, Value: 20}, {Kind: wire.LimitTPD, Value: 700}} {
		t.Run(l.Name(), func(t *testing.T) {
			f := newFleet(t, l)
			dice := rand.New(rand.NewPCG(5, 6))
			type node struct {
				instance    uint64
				share, used int64
			}
			nodes := make([]node, 6)
			tell := func(i int, demand, need int64) {
				n := &nodes[i]
				n.share = f.report(fmt.Sprint("n", i), n.instance, wire.LeaseUse{Held: max(n.share, n.used), Used: n.used, Demand: demand, Need: need}).Share
			}
			for step := range 10_000 {
				i := dice.IntN(len(nodes))
				n := &nodes[i]
				switch dice.IntN(40) {
				case 0: // killed
					*n = node{instance: n.instance + 1}
				case 1: // a node that lives is heard of within the grace
					f.now = f.now.Add(time.Duration(dice.Int64N(int64(grace))))
					f.g.Sweep(f.now)
					for i := range nodes {
						tell(i, l.Value/5, 0)
					}
				case 2:
					f.follow()
					f.base(0)
				default:
					if n.share > n.used {
						n.used += dice.Int64N(n.share - n.used + 1)
					}
					if l.Span() != wire.Calendar && dice.IntN(3) == 0 {
						n.used -= dice.Int64N(n.used + 1) // it has left the window
					}
					tell(i, dice.Int64N(2*l.Value), dice.Int64N(3))
				}
				var sum int64
				for i := range nodes {
					sum += max(nodes[i].share, nodes[i].used)
				}
				if sum > l.Value {
					t.Fatalf("step %d: nodes may use %d of %d: %+v", step, sum, l.Value, nodes)
				}
			}
		})
	}
}

// A node that does not come back is forgotten, with its document: after the
// grace if it has nothing of a period that goes on, at the period's end, or
// after a day.
func TestSilentNodesAreForgotten(t *testing.T) {
	for _, c := range []struct {
		limit wire.Limit
		after time.Duration // the document is there before this, and not long after
	}{{rpm(100), grace}, {budget(1000, wire.ResetDay), 12 * time.Hour}, {budget(1000, wire.ResetTotal), 24 * time.Hour}} {
		f := newFleet(t, c.limit)
		f.report("gone", 1, wire.LeaseUse{Demand: 100, Need: 40})
		f.sweep(c.after - time.Second)
		if _, ok := f.kept["node.gone"]; !ok {
			t.Errorf("%s: the node is forgotten before %s", c.limit.Name(), c.after)
		}
		f.sweep(c.after/5 + 5*time.Second)
		if d, ok := f.kept["node.gone"]; ok {
			t.Errorf("%s: the node is still kept: %s", c.limit.Name(), d.Data)
		}
	}
}

// A node that comes back after it was given up has what it had, and it does not
// count twice.
func TestAForgottenNodeComesBack(t *testing.T) {
	f := newFleet(t, budget(1000, wire.ResetTotal))
	share := f.report("away", 1, wire.LeaseUse{Demand: 100, Need: 400}).Share
	f.sweep(26 * time.Hour)
	if g := f.report("other", 1, wire.LeaseUse{Demand: 100, Need: 1000 - share + 1}); !g.Dry {
		t.Errorf("what the node had may be had by another: %+v", g)
	}
	f.report("other", 1, wire.LeaseUse{})
	if g := f.report("away", 1, wire.LeaseUse{Held: share, Used: 300, Demand: 100, Need: 600}); g.Dry || g.Share < 900 {
		t.Errorf("%+v, want 300 and 600 more", g)
	}
	if g := f.report("other", 1, wire.LeaseUse{Demand: 100, Need: 101}); g.Share > 100 {
		t.Errorf("more than the limit: %+v", g)
	}
}

// A successor that has not heard of a node takes what was kept of it for what it
// holds, and tells no other that nothing is left because of that.
func TestASuccessorIsUnsure(t *testing.T) {
	f := newFleet(t, rpm(60))
	for _, name := range []string{"a", "b", "c"} {
		f.report(name, 1, wire.LeaseUse{Demand: 400, Need: 10})
	}
	f.follow()
	ask := wire.LeaseUse{Demand: 400, Need: 40}
	if g := f.report("d", 1, ask); g.Dry || g.Share >= 30 {
		t.Errorf("%+v, want less than there is, but not for good", g)
	}
	for range 2 { // the second one knows the successor
		for _, name := range []string{"a", "b", "c"} {
			f.report(name, 1, wire.LeaseUse{Held: 10, Used: 10})
		}
	}
	if g := f.report("d", 1, ask); !g.Dry {
		t.Errorf("%+v, want to be told that 40 are not there", g)
	}
	if g := f.report("d", 1, wire.LeaseUse{Demand: 400, Need: 30}); g.Dry || g.Share != 30 {
		t.Errorf("%+v, want the 30 that are left", g)
	}
}

// What a node that was killed has used leaves the window a minute later, however
// often daemons succeed each other meanwhile.
func TestFadingGoesOnThroughSuccessions(t *testing.T) {
	f := newFleet(t, rpm(100))
	f.report("a", 1, wire.LeaseUse{Demand: 600, Need: 60})
	f.report("a", 2, wire.LeaseUse{}) // started again
	killed := f.now
	for f.now.Sub(killed) < 59*time.Second {
		if g := f.report("b", 1, wire.LeaseUse{Demand: 600, Need: 41}); !g.Dry {
			t.Fatalf("%s after the kill: %+v", f.now.Sub(killed), g)
		}
		f.report("a", 2, wire.LeaseUse{})
		f.g.Everything() // written again by each
		f.keep()
		f.now = f.now.Add(7 * time.Second)
		if d, ok := f.kept["spent"]; ok {
			d.Age = 7 * time.Second
			f.kept["spent"] = d
		}
		f.follow()
		f.report("a", 2, wire.LeaseUse{})
		f.report("b", 1, wire.LeaseUse{})
		f.report("b", 1, wire.LeaseUse{})
	}
	f.now = killed.Add(61 * time.Second)
	if g := f.report("b", 1, wire.LeaseUse{Demand: 600, Need: 41}); g.Dry || g.Share < 41 {
		t.Errorf("a minute after the kill: %+v", g)
	}
}

// A daemon whose state is lost, or older than what nodes have seen, gives no
// node more than it has until all have been heard of, and begins budgets with
// what the request log says of the nodes that it does not know.
func TestALostState(t *testing.T) {
	for _, name := range []string{"empty", "older", "of the same daemon"} {
		f := newFleet(t, budget(1000, wire.ResetMonth))
		backup := map[string]limits.Document{}
		claimed := f.now
		if name != "empty" {
			f.report("a", 1, wire.LeaseUse{Demand: 10, Need: 10})
			maps.Copy(backup, f.kept)
		}
		f.report("dead", 1, wire.LeaseUse{Demand: 100, Need: 500})
		f.report("a", 1, wire.LeaseUse{Demand: 100, Need: 300})
		f.now = f.now.Add(11 * time.Second)
		if name == "older" {
			f.follow() // its epoch is what the nodes know
		}
		f.report("a", 1, wire.LeaseUse{Held: 310, Used: 250, Demand: 100})
		f.succeed(backup, claimed)
		for range 2 {
			if g := f.report("a", 1, wire.LeaseUse{Held: 310, Used: 250, Demand: 100, Need: 500}); g.Share != 310 || g.Dry {
				t.Errorf("%s: %+v, want what the node has", name, g)
			}
		}
		if until, ok := f.g.Learning(f.now); !ok || until.Sub(f.now) != grace+time.Minute {
			t.Errorf("%s: learning %v until %s", name, ok, until)
		}
		if list := f.g.Missing(f.now); len(list) > 0 {
			t.Errorf("%s: the request log is asked before all nodes were heard of", name)
		}
		f.now = f.now.Add(grace + time.Minute)
		f.report("a", 1, wire.LeaseUse{Held: 310, Used: 250, Demand: 100})
		f.base(0) // not yet: what a has used is on its way to the log
		f.now = f.now.Add(5 * time.Second)
		f.base(250 + 450) // of which the dead node's are 450
		if g := f.report("a", 1, wire.LeaseUse{Held: 310, Used: 300, Demand: 100, Need: 251}); !g.Dry {
			t.Errorf("%s: %+v, more than 1000 - 450", name, g)
		}
		if g := f.report("a", 1, wire.LeaseUse{Held: 310, Used: 300, Demand: 100, Need: 250}); g.Dry || g.Share != 550 {
			t.Errorf("%s: %+v, want 550", name, g)
		}
	}
}

// A new limit begins with what the request log says.
func TestANewBudgetBeginsWithTheLedger(t *testing.T) {
	f := newFleet(t, budget(1000, wire.ResetMonth))
	next := f.def
	next.ID = "k2"
	f.g.Define(f.now, []limits.Definition{f.def, next}, false)
	f.def = next
	if g := f.report("a", 1, wire.LeaseUse{Demand: 100, Need: 10}); g.Share > 0 || g.Dry {
		t.Errorf("%+v before the log was read", g)
	}
	f.base(995)
	if g := f.report("a", 1, wire.LeaseUse{Demand: 100, Need: 10}); !g.Dry || g.Share > 5 {
		t.Errorf("%+v of the 5 that are left", g)
	}
}

// BenchmarkReports is a second of 100 nodes that are all asked for all of 1,000
// keys: each reports each key.
func BenchmarkReports(b *testing.B) {
	const nodes, keys = 100, 1000
	now := time.Date(2030, 5, 15, 12, 0, 0, 0, time.UTC)
	g := limits.New(now, first, grace, limits.State{})
	defs := make([]limits.Definition, keys)
	uses := make([]wire.LeaseUse, keys)
	for i := range defs {
		defs[i] = limits.Definition{Limit: rpm(60_000), Holder: wire.HolderKey, ID: fmt.Sprint("k", i)}
		uses[i] = wire.LeaseUse{Counter: defs[i].Counter(wire.HolderKey, defs[i].ID), Held: 120, Used: 100, Demand: 100}
	}
	g.Define(now, defs, false)
	var seq uint64
	for b.Loop() {
		seq++
		now = now.Add(time.Second)
		for n := range nodes {
			reply := g.Report(now, fmt.Sprint("n", n), &wire.LeaseReport{Instance: 1, Seq: seq, Epoch: first, Uses: uses})
			if len(reply.Append(nil)) == 0 {
				b.Fatal("no reply")
			}
		}
		if _, err := g.Unkept(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/10, "%core")
}
