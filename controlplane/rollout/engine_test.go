package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/guard"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/rollout"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

const models = `
models:
  - id: glm
    pricing: {prompt: 0, completion: 0}
    aliases: [glm-latest]
    route:
      - {id: old, kind: vllm, weight: 1, base_url: "http://10.0.0.5:8000"}
      - {id: older, kind: vllm, weight: 3, base_url: "http://10.0.0.6:8000"}
      - {id: new, kind: vllm, weight: 0, base_url: "http://10.0.0.7:8000"}
  - {id: demo, provider: demo}
`

// world is a control plane's database and files, its NATS, a clock, and nodes
// that report what the test lets them.
type world struct {
	t     *testing.T
	dir   string
	nats  *bustest.Server
	now   time.Time
	nodes map[string]*fake
}

// fake is a node. Its totals only grow.
type fake struct {
	nodes.Node
	totals map[string]*wire.EndpointCounts
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), nats: bustest.Start(t), now: time.Unix(1_900_000_000, 0), nodes: map[string]*fake{}}
	w.write(models)
	if err := os.WriteFile(filepath.Join(w.dir, "routing.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.join("n1")
	return w
}

func (w *world) write(text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "models.yaml"), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// join starts a node, or starts it anew.
func (w *world) join(name string) *fake {
	n := &fake{totals: map[string]*wire.EndpointCounts{}}
	n.Node.Node, n.State, n.Release = name, nodes.Live, 1<<40
	for _, id := range []string{"glm:old", "glm:older", "glm:new"} {
		n.totals[id] = &wire.EndpointCounts{Endpoint: id, Since: w.now.UnixMilli()}
	}
	w.nodes[name] = n
	return n
}

// serve adds requests, some of which fail.
func (f *fake) serve(endpoint string, n, bad uint64) {
	c := f.totals["glm:"+endpoint]
	c.Requests += n
	c.Errors += bad
}

// list is the nodes as the table has them.
func (w *world) list() (list []nodes.Node) {
	for _, f := range w.nodes {
		n := f.Node
		n.Time = w.now.UnixMilli()
		for _, c := range f.totals {
			n.Counts = append(n.Counts, *c)
		}
		list = append(list, n)
	}
	return list
}

// daemon is a control plane's daemon as far as rollouts are concerned.
type daemon struct {
	*rollout.Engine
	t    *testing.T
	w    *world
	pub  *publish.Publisher
	stop func()
}

func (w *world) daemon() *daemon {
	t := w.t
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{Backend: database.BackendSQLite, SQLitePath: filepath.Join(w.dir, "gateway.db")})
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, w: w, pub: publish.New(publish.Options{
		Conn: w.nats.Connect("control"), Open: func(ctx context.Context) (*controlstate.State, error) { return controlstate.Open(ctx, db) }, Log: slog.New(slog.DiscardHandler),
		Files: publish.Files{Models: filepath.Join(w.dir, "models.yaml"), Routing: filepath.Join(w.dir, "routing.yaml"), Env: func(string) (string, bool) { return "", false }},
	})}
	d.Engine = rollout.New(rollout.Options{Publisher: d.pub, Nodes: w.list, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- d.pub.Run(ctx) }()
	stopped := false
	d.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(<-done, db.Close()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(d.stop)
	select {
	case <-d.pub.Ready():
	case <-time.After(time.Minute):
		t.Fatal("no release after a minute")
	}
	return d
}

// start begins a rollout of glm to its new endpoint, at 20, 50 and 100 %.
func (d *daemon) start() controlstate.Rollout {
	d.t.Helper()
	d.w.now = d.w.now.Add(time.Millisecond)
	r, err := d.Start(d.t.Context(), publish.Change{Author: "ana", Reason: "faster"}, rollout.Plan{
		Model: "glm-latest", Endpoint: "new", Steps: []float64{20, 50, 100}, Every: time.Minute, Guard: "errors<2%", MinRequests: 20,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.knows("running")
	return r
}

// state returns the newest rollout as the database has it.
func (d *daemon) state() controlstate.Rollout {
	d.t.Helper()
	db, err := d.pub.State()
	if err != nil {
		d.t.Fatal(err)
	}
	list, err := db.Rollouts(d.t.Context(), "glm", 1)
	if err != nil || len(list) == 0 {
		d.t.Fatalf("rollouts %+v, %v", list, err)
	}
	return list[0]
}

// knows waits until the daemon has read what the database has, and expects a state.
func (d *daemon) knows(state string) controlstate.Rollout {
	d.t.Helper()
	r := d.state()
	if r.State != state {
		d.t.Errorf("the rollout is %s (%s), want %s", r.State, r.Why, state)
	}
	d.pub.Kick()
	eventually.True(d.t, "the daemon reads the rollout", func() bool {
		list := d.pub.Rollouts()
		if !r.Active() {
			return len(list) == 0
		}
		return len(list) == 1 && list[0].Version == r.Version && d.pub.Current().Number >= r.Release
	})
	return r
}

// pass lets time pass, with a look at the nodes.
func (w *world) pass(d time.Duration, daemons ...*daemon) {
	w.now = w.now.Add(d)
	for _, one := range daemons {
		one.Tick(w.t.Context())
	}
}

// weights are those of the current release, as "old new older".
func (d *daemon) weights() string {
	d.t.Helper()
	db, err := d.pub.State()
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := db.Current(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	text := ""
	for _, m := range r.Snapshot.Models {
		for _, e := range m.Endpoints {
			if m.ID == "glm" {
				text += fmt.Sprintf("%g ", e.Weight)
			}
		}
	}
	return strings.TrimSpace(text)
}

// reasons are those of the releases since the first, oldest first.
func (d *daemon) reasons() (list []string) {
	d.t.Helper()
	db, err := d.pub.State()
	if err != nil {
		d.t.Fatal(err)
	}
	releases, err := db.Releases(d.t.Context(), 100, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, r := range releases {
		if r.Number > 1 {
			_, reason, _ := strings.Cut(r.Reason, "rollout r_")
			list = append([]string{reason[min(len(reason), 10):]}, list...)
		}
	}
	return list
}

func (d *daemon) expect(weights string) {
	d.t.Helper()
	if got := d.weights(); got != weights {
		d.t.Errorf("weights %s, want %s", got, weights)
	}
}

func TestAGoodEndpointGetsAllTraffic(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	d := w.daemon()
	r := d.start()
	if r.Model != "glm" || r.Endpoint != "glm:new" {
		t.Errorf("started %+v", r)
	}
	d.expect("1 3 1")
	w.pass(time.Second, d)
	for _, weights := range []string{"1 3 4", "0 0 4"} {
		before := d.weights()
		n.serve("old", 100, 1)
		n.serve("new", 19, 0)
		w.pass(59*time.Second, d)
		d.expect(before) // too soon, and one request is missing
		w.pass(10*time.Second, d)
		d.expect(before)
		n.serve("new", 1, 0)
		w.pass(time.Second, d)
		d.expect(weights)
		d.knows("running")
		w.pass(time.Second, d)
	}
	n.serve("new", 500, 2)
	w.pass(time.Minute, d)
	r = d.knows("completed")
	d.expect("0 0 4")
	want := []string{
		" to new: step 1 of 3, 20%: faster", ": step 2 of 3, 50% to glm:new; errors<2%: 0% of 20 requests, others 1%", ": step 3 of 3, 100% to glm:new; errors<2%: 0% of 20 requests, others 1%",
	}
	if got := d.reasons(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("releases\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Log) != 4 || r.Log[3].What != "the guard held in the last step: errors<2%: 0.4% of 500 requests, others 1%" || r.Log[1].Release != 3 || r.Log[1].Share != 50 {
		t.Errorf("log %+v", r.Log)
	}
}

func TestABadEndpointLosesAllTraffic(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	d := w.daemon()
	if _, err := d.pub.SetWeights(t.Context(), publish.Change{Author: "ana"}, "glm", map[string]float64{"old": 2}); err != nil {
		t.Fatal(err)
	}
	d.start()
	d.expect("2 3 1.25")
	w.pass(time.Second, d)
	n.serve("old", 100, 0)
	n.serve("new", 3, 2)
	w.pass(time.Second, d)
	d.knows("running")
	n.serve("new", 1, 1)
	w.pass(time.Second, d)
	r := d.knows("taken_back")
	d.expect("2 3 0")
	if r.Why != "errors<2%: 75% of 4 requests, others 0%" || r.Release != 4 {
		t.Errorf("ended %+v", r)
	}
	db, err := d.pub.State()
	if err != nil {
		t.Fatal(err)
	}
	overrides, err := db.Overrides(t.Context())
	if err != nil || len(overrides.Weights) != 1 || overrides.Weights["glm:old"] != 2 {
		t.Errorf("overrides %v, %v: want what was there before", overrides, err)
	}
	log, err := db.AuditLog(t.Context(), controlstate.AuditQuery{Limit: 1})
	if err != nil || log[0].Action != "rollout.take_back" || log[0].Author != "controlplane" || log[0].Target != "glm" || !strings.Contains(log[0].Reason, "75% of 4 requests") {
		t.Errorf("audit %+v, %v", log, err)
	}
	d.start() // another one may follow
}

// An endpoint that its nodes take out of service is taken back without any
// request; one on a node that reaches nothing is not.
func TestAnEndpointOutOfServiceIsTakenBack(t *testing.T) {
	w := newWorld(t)
	d := w.daemon()
	d.start()
	lost := w.join("n2")
	for _, c := range lost.totals {
		c.Down = "the circuit breaker is open: unavailable"
	}
	w.pass(time.Second, d)
	d.knows("running")
	lost.totals["glm:old"].Down = ""
	w.pass(time.Second, d)
	if r := d.knows("taken_back"); r.Why != "out of service on n2 (the circuit breaker is open: unavailable)" {
		t.Errorf("because %q", r.Why)
	}
}

// Streams that never begin are seen long before they time out.
func TestStreamsThatHangAreSeen(t *testing.T) {
	w := newWorld(t)
	d := w.daemon()
	if _, err := d.Start(t.Context(), publish.Change{Author: "ana"}, rollout.Plan{
		Model: "glm", Endpoint: "glm:new", Steps: []float64{1}, Every: time.Minute, Guard: "ttft_p95<2s", MinRequests: 20,
	}); err != nil {
		t.Fatal(err)
	}
	d.knows("running")
	w.pass(time.Second, d)
	w.nodes["n1"].totals["glm:new"].Streams = 4
	w.pass(2*time.Second, d)
	w.pass(time.Second, d)
	d.knows("running")
	w.pass(time.Second, d)
	if r := d.knows("taken_back"); r.Why != "ttft_p95<2s: more than 2s of 4 requests" {
		t.Errorf("because %q", r.Why)
	}
}

// Nodes that say nothing, or nothing of use, hold a rollout.
func TestARolloutWaitsForItsNodes(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	d := w.daemon()
	r := d.start()
	why := func(want string) {
		t.Helper()
		n.serve("old", 100, 0)
		n.serve("new", 100, 0)
		w.pass(2*time.Minute, d)
		d.expect("1 3 1")
		if v, ok := d.Verdict(r.ID); !ok || v.Action != guard.Hold || v.Reason != want {
			t.Errorf("%s: %s, want %s", v.Action, v.Reason, want)
		}
	}
	n.State = nodes.Stale
	why("no live node")
	n.State = nodes.Live
	n.Missing = []wire.MissingSecret{{Endpoint: "glm:new", Variable: "NEW_KEY"}}
	why("NEW_KEY is not set on n1")
	n.Missing, n.Release = nil, 1
	why("n1 has release 1 and not 2 yet")
	n.Release = 2
	old := w.nodes["n1"].totals
	n.totals = nil
	w.pass(time.Second, d)
	if v, _ := d.Verdict(r.ID); v.Reason != "no node has reported what the endpoints do; nodes of earlier versions do not report it: n1" {
		t.Errorf("held because %s", v.Reason)
	}
	n.totals = old
	w.pass(time.Second, d)
	d.expect("1 3 4") // and what they have done meanwhile counts
}

// What a node did before its restart and after it counts; so does what was in
// heartbeats that were lost.
func TestRestartsOfNodesAndLostHeartbeats(t *testing.T) {
	w := newWorld(t)
	d := w.daemon()
	d.start()
	w.pass(time.Second, d)
	w.nodes["n1"].serve("new", 9, 0)
	w.nodes["n1"].serve("old", 50, 0)
	w.pass(time.Second, d)
	w.join("n1").serve("new", 3, 0)
	w.pass(time.Second, d)
	w.nodes["n1"].serve("new", 4, 0) // this heartbeat is lost
	w.now = w.now.Add(2 * time.Second)
	w.nodes["n1"].serve("new", 4, 0)
	w.pass(time.Minute, d)
	d.expect("1 3 4")
	if r := d.knows("running"); !strings.HasSuffix(r.Log[1].What, "0% of 20 requests, others 0%") {
		t.Errorf("log %+v", r.Log)
	}
}

// A daemon that starts, or takes over, goes on from the step that was taken last; what it
// has not heard does not count.
func TestAnotherDaemonGoesOn(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	first := w.daemon()
	first.start()
	w.pass(time.Second, first)
	n.serve("new", 15, 0)
	w.pass(time.Second, first)
	first.stop()
	second := w.daemon()
	second.knows("running")
	w.pass(time.Second, second)
	n.serve("new", 15, 0)
	n.serve("old", 50, 0)
	w.pass(time.Minute, second)
	second.expect("1 3 1") // it has heard of 15
	n.serve("new", 5, 0)
	w.pass(time.Second, second)
	second.expect("1 3 4")
	if r := second.knows("running"); r.Step != 1 {
		t.Errorf("at step %d", r.Step)
	}
}

// Of daemons side by side one takes the step.
func TestNoStepIsTakenTwice(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	first, second := w.daemon(), w.daemon()
	first.start()
	second.knows("running")
	w.pass(time.Second, first, second)
	n.serve("new", 30, 0)
	n.serve("old", 30, 0)
	w.pass(time.Minute, first, second) // the second has not read what the first has done
	first.expect("1 3 4")
	if r := first.knows("running"); r.Step != 1 || r.Version != 2 {
		t.Errorf("at step %d, version %d", r.Step, r.Version)
	}
	second.knows("running")
	w.pass(time.Second, first, second)
	n.serve("new", 30, 30)
	w.pass(time.Second, second, first)
	first.knows("taken_back")
	second.knows("taken_back")
	first.expect("1 3 0")
	if got := first.reasons(); len(got) != 3 {
		t.Errorf("releases %q", got)
	}
}

// What an operator changes ends the rollout and stays.
func TestOperatorsComeFirst(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	d := w.daemon()
	c := publish.Change{Author: "ana"}
	f := func(why, weights string, change func() error) {
		t.Helper()
		d.start()
		w.pass(time.Second, d)
		if err := change(); err != nil {
			t.Fatal(err)
		}
		n.serve("new", 100, 100) // would be taken back
		n.serve("old", 100, 0)
		w.pass(time.Minute, d)
		if r := d.knows("superseded"); r.Why != why {
			t.Errorf("because %q, want %q", r.Why, why)
		}
		d.expect(weights)
		n.totals["glm:new"].Errors = 0
		if _, err := d.pub.ResetWeights(t.Context(), c, ""); err != nil {
			t.Fatal(err)
		}
	}
	f("the weight of glm:old was changed from 1 to 5", "5 3 1", func() error {
		_, err := d.pub.SetWeights(t.Context(), c, "glm", map[string]float64{"old": 5})
		return err
	})
	f("the weight of glm:new was changed from 1 to 0", "1 3 0", func() error { _, err := d.pub.ResetWeights(t.Context(), c, "glm"); return err })
	f("endpoint glm:new was disabled", "1 3 0", func() error { _, err := d.pub.DisableEndpoints(t.Context(), c, []string{"glm:new"}); return err })
	if _, err := d.pub.EnableEndpoints(t.Context(), c, []string{"glm:new"}); err != nil {
		t.Fatal(err)
	}
	f("the policy was changed from weighted to least_busy", "1 3 1", func() error {
		w.write(strings.Replace(models, "    aliases", "    policy: least_busy\n    aliases", 1))
		_, err := d.pub.Apply(t.Context(), c, publish.Source{})
		return err
	})
	w.write(models)
	if _, err := d.pub.Apply(t.Context(), c, publish.Source{}); err != nil {
		t.Fatal(err)
	}
	f("endpoint glm:more was added", "1 3 1 1", func() error {
		w.write(strings.Replace(models, "  - {id: demo", "      - {id: more, kind: vllm, weight: 1, base_url: \"http://10.0.0.8:8000\"}\n  - {id: demo", 1))
		_, err := d.pub.Apply(t.Context(), c, publish.Source{})
		return err
	})
	f("endpoint glm:older was removed", "1 1.25 1", func() error {
		w.write(strings.Replace(strings.Replace(models, "  - {id: demo", "      - {id: more, kind: vllm, weight: 1, base_url: \"http://10.0.0.8:8000\"}\n  - {id: demo", 1),
			"      - {id: older, kind: vllm, weight: 3, base_url: \"http://10.0.0.6:8000\"}\n", "", 1))
		_, err := d.pub.Apply(t.Context(), c, publish.Source{})
		return err
	})
	f("the model glm is no longer configured", "", func() error {
		w.write("models:\n  - {id: demo, provider: demo}\n")
		_, err := d.pub.Apply(t.Context(), c, publish.Source{})
		return err
	})
}

func TestOperatorsCommands(t *testing.T) {
	w := newWorld(t)
	n := w.nodes["n1"]
	d := w.daemon()
	ctx := t.Context()
	if _, err := d.Pause(ctx, "glm", "ana", ""); !errors.Is(err, controlstate.ErrNotFound) || err.Error() != `model "glm" has no rollout that is running or paused` {
		t.Errorf("pause of none: %v", err)
	}
	d.start()
	if _, err := d.Resume(ctx, "glm", "ana", ""); !errors.Is(err, controlstate.ErrExists) {
		t.Errorf("resume of a running one: %v", err)
	}
	r, err := d.Pause(ctx, "glm-latest", "ana", "lunch")
	if err != nil || r.State != "paused" || r.Log[1].What != "paused by ana: lunch" {
		t.Errorf("paused %+v, %v", r, err)
	}
	d.knows("paused")
	w.pass(time.Second, d)
	n.serve("new", 100, 0)
	n.serve("old", 100, 0)
	w.pass(time.Hour, d)
	d.expect("1 3 1")
	if r, err = d.Resume(ctx, "glm", "ana", ""); err != nil || r.State != "running" || !r.Since.Equal(w.now) {
		t.Errorf("resumed %+v, %v", r, err)
	}
	d.knows("running")
	if r, err = d.Finish(ctx, "glm", "ana", "good enough"); err != nil || r.State != "completed" || r.Why != "finished by ana: good enough" {
		t.Errorf("finished %+v, %v", r, err)
	}
	d.expect("0 0 4")
	d.knows("completed")
	if _, err := d.pub.ResetWeights(ctx, publish.Change{Author: "ana"}, ""); err != nil {
		t.Fatal(err)
	}
	d.start()
	if r, err = d.Abort(ctx, "glm", "ana", ""); err != nil || r.State != "aborted" || r.Log[1].Share != 0 {
		t.Errorf("aborted %+v, %v", r, err)
	}
	d.expect("1 3 0")
	d.start()
	if _, err := d.pub.SetWeights(ctx, publish.Change{Author: "ben"}, "glm", map[string]float64{"old": 5}); err != nil {
		t.Fatal(err)
	}
	var superseded *publish.SupersededError
	if _, err := d.Abort(ctx, "glm", "ana", ""); !errors.As(err, &superseded) {
		t.Errorf("abort after another's change: %v", err)
	}
	d.knows("superseded")
	d.expect("5 3 1")
	// a paused one is watched all the same
	d.start()
	if _, err := d.Pause(ctx, "glm", "ana", ""); err != nil {
		t.Fatal(err)
	}
	d.knows("paused")
	w.pass(time.Second, d)
	n.serve("new", 10, 10)
	w.pass(time.Second, d)
	d.knows("taken_back")
}

func TestWhatCannotBeStarted(t *testing.T) {
	w := newWorld(t)
	d := w.daemon()
	f := func(p rollout.Plan, want string) {
		t.Helper()
		if p.Steps == nil {
			p.Steps = []float64{5, 100}
		}
		p.Every, p.Guard = time.Minute, guard.Default
		_, err := d.Start(t.Context(), publish.Change{Author: "ana"}, p)
		if err == nil || !errors.Is(err, publish.ErrInvalid) || err.Error() != want {
			t.Errorf("%+v: %v\nwant %s", p, err, want)
		}
	}
	f(rollout.Plan{Model: "gpt", Endpoint: "new"}, `model "gpt" not found; available: glm, demo`)
	f(rollout.Plan{Model: "glm", Endpoint: "newer"}, `to: glm has no endpoint "newer"; available: old, older, new`)
	f(rollout.Plan{Model: "glm", Endpoint: "demo:demo"}, `to: glm has no endpoint "demo:demo"; available: old, older, new`)
	f(rollout.Plan{Model: "demo", Endpoint: "demo:demo"}, `to: demo has a single endpoint: there is no other one to take traffic from`)
	f(rollout.Plan{Model: "glm", Endpoint: "older"}, `steps: glm:older gets 75% of the traffic already: the first step must be above it, got 5%`)
	apply := func(old, text string) {
		t.Helper()
		w.write(strings.Replace(models, old, text, 1))
		if _, err := d.pub.Apply(t.Context(), publish.Change{Author: "ana"}, publish.Source{}); err != nil {
			t.Fatal(err)
		}
	}
	apply("    aliases", "    policy: cost\n    aliases")
	f(rollout.Plan{Model: "glm", Endpoint: "new"}, "to: under the policy cost of glm weights do not say what an endpoint gets; `gatewayctl policy set glm weighted` lets weights decide")
	apply("    aliases: [glm-latest]\n    route:\n      - {", "    policy: priority\n    aliases: [glm-latest]\n    route:\n      - {priority: 1, ")
	f(rollout.Plan{Model: "glm", Endpoint: "new"}, "to: under the policy priority of glm weights count among endpoints of the same priority only, and glm:new has priority 0; `gatewayctl policy set glm weighted` lets weights decide")
	apply("", "")
	if _, err := d.pub.DisableEndpoints(t.Context(), publish.Change{Author: "ana"}, []string{"glm:new"}); err != nil {
		t.Fatal(err)
	}
	f(rollout.Plan{Model: "glm", Endpoint: "new"}, `to: glm:new is disabled; enable it first`)
	if _, err := d.pub.SetWeights(t.Context(), publish.Change{Author: "ana"}, "glm", map[string]float64{"older": 0}); err != nil {
		t.Fatal(err)
	}
	f(rollout.Plan{Model: "glm", Endpoint: "old"}, `to: no other endpoint of glm gets traffic: there is none to move to glm:old`)
	if _, err := d.pub.EnableEndpoints(t.Context(), publish.Change{Author: "ana"}, []string{"glm:new"}); err != nil {
		t.Fatal(err)
	}
	first := d.start()
	_, err := d.Start(t.Context(), publish.Change{Author: "ana"}, rollout.Plan{Model: "glm", Endpoint: "new", Steps: []float64{100}, Every: time.Minute, Guard: guard.Default})
	if want := "rollout " + first.ID + " of glm to glm:new is running; finish or abort it first"; !errors.Is(err, controlstate.ErrExists) || err.Error() != want {
		t.Errorf("a second rollout: %v, want %s", err, want)
	}
}
