package rollout_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/rollout"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// tried is models with another endpoint in service.
var tried = strings.Replace(models, "weight: 0", "weight: 4", 1)

// canaryWorld has three nodes, of which n1 is to be the canary.
func canaryWorld(t *testing.T) (*world, *daemon) {
	w := newWorld(t)
	for _, name := range []string{"n1", "n2", "n3"} {
		w.join(name).Canary = &wire.CanaryStatus{}
	}
	d := w.daemon()
	w.write(tried)
	return w, d
}

func (d *daemon) startCanary() *controlstate.Canary {
	d.t.Helper()
	d.w.now = d.w.now.Add(time.Millisecond)
	_, c, err := d.StartCanary(d.t.Context(), publish.Change{Author: "ana", Reason: "faster"}, publish.Source{}, rollout.CanaryPlan{Nodes: []string{"n1"}, For: time.Minute, Guard: "errors<2%", MinRequests: 20})
	if err != nil {
		d.t.Fatal(err)
	}
	d.reads()
	return c
}

// reads waits until the daemon knows the canary that the database has.
func (d *daemon) reads() {
	d.t.Helper()
	d.pub.Kick()
	eventually.True(d.t, "the daemon reads the canary", func() bool {
		want, have := d.canary(), d.pub.Canary()
		if want.State != controlstate.CanaryRunning {
			return have == nil
		}
		return have != nil && have.Version == want.Version
	})
}

// canary is the newest one in the database.
func (d *daemon) canary() controlstate.Canary {
	d.t.Helper()
	db, err := d.pub.State()
	if err != nil {
		d.t.Fatal(err)
	}
	list, err := db.Canaries(d.t.Context(), 1)
	if err != nil || len(list) != 1 {
		d.t.Fatalf("canaries %v, %v", list, err)
	}
	return list[0]
}

// takes has the node serve the canary.
func (f *fake) takes(c *controlstate.Canary) {
	f.Canary = &wire.CanaryStatus{Number: c.Release.Number, Hash: c.Release.Hash, State: wire.StateApplied}
}

// ended expects how the canary has ended, and with which weights of all nodes.
func (d *daemon) ended(state, why, weights string, releases int) {
	d.t.Helper()
	c := d.canary()
	if c.State != state || !strings.Contains(c.Why, why) {
		d.t.Errorf("the canary is %s: %s; want %s: %s", c.State, c.Why, state, why)
	}
	if got := d.weights(); got != weights {
		d.t.Errorf("weights %s, want %s", got, weights)
	}
	db, err := d.pub.State()
	if err != nil {
		d.t.Fatal(err)
	}
	list, err := db.Releases(d.t.Context(), 10, 0)
	if err != nil || len(list) != releases {
		d.t.Errorf("releases %+v, %v; want %d", list, err, releases)
	}
	if c.Final != list[0].Number {
		d.t.Errorf("the canary has ended with release %d, the newest is %+v", c.Final, list[0])
	}
	d.reads()
}

const (
	before = "1 3 0"
	after  = "1 3 4"
)

func TestACanaryThatHoldsGoesToAllNodes(t *testing.T) {
	w, d := canaryWorld(t)
	c := d.startCanary()
	if got := d.weights(); got != before {
		t.Errorf("the other nodes have %s", got)
	}
	w.pass(time.Second, d)
	if v, _ := d.CanaryVerdict(c.ID); v.Action != "hold" || !strings.Contains(v.Reason, "n1 does not serve it yet") {
		t.Errorf("verdict %+v", v)
	}
	w.nodes["n1"].takes(c)
	w.pass(time.Second, d) // where its totals begin
	w.nodes["n1"].serve("new", 30, 0)
	w.nodes["n2"].serve("old", 30, 9) // that is none of the canary's
	w.pass(30*time.Second, d)
	if v, _ := d.CanaryVerdict(c.ID); v.Action != "wait" || v.Results[0].Requests != 30 || v.Results[0].Value != "0%" || v.Results[0].Others == "0%" {
		t.Errorf("verdict %+v", v)
	}
	d.stop()
	d = w.daemon() // measures anew, and the files are no reason to give all nodes what the canary tries
	if got := d.weights(); got != before {
		t.Fatalf("a daemon that starts gives all nodes %s", got)
	}
	d.reads()
	w.pass(time.Second, d)
	w.pass(30*time.Second, d)
	d.is(controlstate.CanaryRunning)
	w.nodes["n1"].serve("new", 30, 0)
	w.pass(time.Second, d)
	d.ended(controlstate.CanaryPromoted, "promoted: errors<2%: 0% of 30 requests", after, 2)
}

func (d *daemon) is(state string) {
	d.t.Helper()
	if c := d.canary(); c.State != state {
		d.t.Fatalf("the canary is %s: %s", c.State, c.Why)
	}
}

func TestACanaryIsTakenBack(t *testing.T) {
	for why, bad := range map[string]func(*world, *fake){
		"glm:new: errors<2%": func(_ *world, n *fake) { // few of all requests, but all of the endpoint's
			n.serve("old", 400, 0)
			n.serve("new", 5, 5)
		},
		"glm:new is out of service (open) on n1": func(_ *world, n *fake) { n.totals["glm:new"].Down = "open" },
		"n1 rejected it: no such kind": func(_ *world, n *fake) {
			n.Canary.State, n.Canary.Reason = wire.StateRejected, "no such kind"
		},
		"n1 has not been live for 40s": func(_ *world, n *fake) { n.State = "stale" },
	} {
		t.Run(why, func(t *testing.T) {
			w, d := canaryWorld(t)
			c := d.startCanary()
			w.nodes["n1"].takes(c)
			w.pass(time.Second, d)
			w.nodes["n2"].serve("old", 300, 0)
			bad(w, w.nodes["n1"])
			w.pass(time.Second, d)
			w.pass(40*time.Second, d)
			d.ended(controlstate.CanaryTakenBack, why, before, 3)
			if _, _, err := d.StartCanary(t.Context(), publish.Change{}, publish.Source{}, rollout.CanaryPlan{Nodes: []string{"n1"}, For: time.Minute, Guard: "errors<2%"}); err == nil {
				d.reads()
				if n := d.canary().Release.Number; n != 4 {
					t.Errorf("the next canary has number %d", n)
				}
			} else if w.nodes["n1"].State == "live" {
				t.Error(err)
			}
		})
	}
}

func TestWhatEndsACanary(t *testing.T) {
	w, d := canaryWorld(t)
	ctx := t.Context()
	d.startCanary()
	plan := rollout.CanaryPlan{Nodes: []string{"n2"}, For: time.Minute, Guard: "errors<2%"}
	if _, _, err := d.StartCanary(ctx, publish.Change{}, publish.Source{}, plan); !errors.Is(err, controlstate.ErrExists) {
		t.Errorf("a second canary: %v", err)
	}
	if _, err := d.Start(ctx, publish.Change{}, rollout.Plan{Model: "glm", Endpoint: "new", Steps: []float64{50}, Every: time.Minute, Guard: "errors<2%"}); !errors.Is(err, controlstate.ErrExists) {
		t.Errorf("a rollout meanwhile: %v", err)
	}
	if _, err := d.AbortCanary(ctx, "bob", "lunch"); err != nil {
		t.Fatal(err)
	}
	d.ended(controlstate.CanaryAborted, "aborted by bob: lunch", before, 3)

	d.startCanary()
	r, err := d.pub.SetWeights(ctx, publish.Change{Author: "bob"}, "glm", map[string]float64{"old": 7})
	if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "is superseded") {
		t.Fatalf("weights meanwhile: %+v, %v", r.Warnings, err)
	}
	d.ended(controlstate.CanarySuperseded, "bob has made release 5", "7 3 0", 5)
	if _, err := d.PromoteCanary(ctx, "bob", ""); !errors.Is(err, controlstate.ErrNotFound) {
		t.Errorf("promoted after its end: %v", err)
	}

	d.startCanary()
	if _, err := d.PromoteCanary(ctx, "bob", ""); err != nil {
		t.Fatal(err)
	}
	d.ended(controlstate.CanaryPromoted, "promoted by bob", "7 3 4", 6) // with what operators had set
	w.write(models)
	if _, err := d.pub.Apply(ctx, publish.Change{}, publish.Source{}); err != nil {
		t.Fatal(err)
	}
	d.start() // a rollout, whose steps would end a canary
	if _, _, err := d.StartCanary(ctx, publish.Change{}, publish.Source{}, plan); !errors.Is(err, controlstate.ErrExists) {
		t.Errorf("a canary during a rollout: %v", err)
	}
}

func TestNodesThatCannotBeACanary(t *testing.T) {
	w, d := canaryWorld(t)
	w.nodes["n2"].Canary = nil // an earlier version
	w.nodes["n3"].State = "stale"
	for nodes, want := range map[string]string{
		"n9": `node "n9" is not known; live nodes: `, "n3": "n3 is not live", "n2": "does not take canaries",
	} {
		_, _, err := d.StartCanary(t.Context(), publish.Change{}, publish.Source{}, rollout.CanaryPlan{Nodes: []string{nodes}, For: time.Minute, Guard: "errors<2%"})
		if !errors.Is(err, publish.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", nodes, err)
		}
	}
	w.nodes["n2"].Draining = true
	_, _, err := d.StartCanary(t.Context(), publish.Change{}, publish.Source{}, rollout.CanaryPlan{Nodes: []string{"n1"}, For: time.Minute, Guard: "errors<2%"})
	if !errors.Is(err, publish.ErrInvalid) || !strings.Contains(err.Error(), "at least one live node must keep") {
		t.Errorf("all nodes: %v", err)
	}
}
