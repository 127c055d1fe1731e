package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/bus"
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
      - {id: local, kind: vllm, weight: 0.7, base_url: "http://10.0.0.5:8000"}
      - {id: far, kind: openai_compat, weight: 0.3, base_url: "https://llm.example.com/v1"}
  - {id: demo, provider: demo}
`

// plane is a control plane's directory, database and NATS.
type plane struct {
	t    *testing.T
	dir  string
	nats *bustest.Server
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	p := &plane{t: t, dir: t.TempDir(), nats: bustest.Start(t)}
	p.write(models)
	return p
}

func (p *plane) write(models string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "models.yaml"), []byte(models), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plane) options() publish.Options {
	routing := filepath.Join(p.dir, "routing.yaml")
	if err := os.WriteFile(routing, nil, 0o600); err != nil {
		p.t.Fatal(err)
	}
	db, err := database.Open(p.t.Context(), database.Config{Backend: database.BackendSQLite, SQLitePath: filepath.Join(p.dir, "gateway.db")})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			p.t.Error(err)
		}
	})
	return publish.Options{
		Conn:  p.nats.Connect("control"),
		Open:  func(ctx context.Context) (*controlstate.State, error) { return controlstate.Open(ctx, db) },
		Files: publish.Files{Models: filepath.Join(p.dir, "models.yaml"), Routing: routing, Env: func(string) (string, bool) { return "", false }},
		Log:   slog.New(slog.DiscardHandler),
	}
}

// start runs a publisher until the returned function is called or the test ends.
func (p *plane) start() (*publish.Publisher, func()) {
	p.t.Helper()
	pub := publish.New(p.options())
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan error, 1)
	go func() { done <- pub.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("the publisher ended with %v", err)
		}
	}
	p.t.Cleanup(stop)
	select {
	case <-pub.Ready():
	case err := <-done:
		p.t.Fatalf("the publisher ended with %v", err)
	case <-time.After(time.Minute): // machines that build beside their tests are slow
		p.t.Fatal("no release after a minute")
	}
	return pub, stop
}

// stored returns the release in the bucket, nil if there is none.
func stored(t *testing.T, nc *nats.Conn) *wire.Release {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	doc, err := bus.Fetch(ctx, nc, wire.ReleaseKey)
	if errors.Is(err, bus.ErrNoDocument) || !nc.IsConnected() {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	body, err := bus.Open(wire.ReleaseKey, doc)
	if err != nil {
		t.Fatal(err)
	}
	r, err := wire.DecodeRelease(body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (p *plane) arrives(nc *nats.Conn, number uint64) *wire.Release {
	p.t.Helper()
	var r *wire.Release
	eventually.True(p.t, "the release is in the bucket", func() bool {
		r = stored(p.t, nc)
		return r != nil && r.Number == number
	})
	return r
}

func must(t *testing.T, r publish.Result, err error) publish.Result {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func weightOf(t *testing.T, r *wire.Release, id string) float64 {
	t.Helper()
	for _, m := range r.Snapshot.Models {
		for _, e := range m.Endpoints {
			if e.ID == id {
				return e.Weight
			}
		}
	}
	t.Fatalf("release %d has no endpoint %s", r.Number, id)
	return 0
}

var who = publish.Change{Author: "ana", Reason: "test"}

func TestAChangeReachesTheBucketAndIsAnnounced(t *testing.T) {
	p := newPlane(t)
	nc := p.nats.Connect("node")
	beats := make(chan *nats.Msg, 64)
	if _, err := nc.ChanSubscribe(wire.BeatSubject, beats); err != nil {
		t.Fatal(err)
	}
	pub, _ := p.start()
	if r := p.arrives(nc, 1); r.Author != "controlplane" {
		t.Errorf("first release by %q", r.Author)
	}
	r, err := pub.SetWeights(t.Context(), who, "glm-latest", map[string]float64{"local": 0.2, "glm:far": 0.8})
	must(t, r, err)
	if want := "endpoint glm:local: weight 0.7 -> 0.2; endpoint glm:far: weight 0.3 -> 0.8"; strings.Join(r.Changes, "; ") != want {
		t.Errorf("changes %q", r.Changes)
	}
	if got := weightOf(t, p.arrives(nc, 2), "glm:local"); got != 0.2 {
		t.Errorf("weight %v in the bucket", got)
	}
	eventually.True(t, "a beat announces release 2", func() bool {
		b, err := wire.DecodeBeat((<-beats).Data)
		if err != nil {
			t.Fatal(err)
		}
		return b.Release == 2 && b.Epoch == pub.Current().Epoch
	})
}

func TestOverridesSurviveRestartsAndNewFiles(t *testing.T) {
	p := newPlane(t)
	nc := p.nats.Connect("node")
	pub, stop := p.start()
	r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.1})
	must(t, r, err)
	stop()

	pub, stop = p.start() // the same files: no new release
	if got := pub.Current(); got.Number != 2 || weightOf(t, got, "glm:local") != 0.1 {
		t.Fatalf("after a restart release %d", got.Number)
	}
	stop()

	p.write(strings.ReplaceAll(models, "weight: 0.3", "weight: 0.5"))
	pub, _ = p.start()
	if got := pub.Current(); got.Number != 3 || weightOf(t, got, "glm:local") != 0.1 || weightOf(t, got, "glm:far") != 0.5 {
		t.Fatalf("after a restart with other files release %d: %+v", got.Number, got.Snapshot.Models[0].Endpoints)
	}
	p.write(strings.ReplaceAll(models, "id: local", "id: moved"))
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "glm:local") || weightOf(t, r.Release, "glm:moved") != 0.7 {
		t.Errorf("warnings %q", r.Warnings)
	}
	p.write(models) // the override is gone with its endpoint
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	if weightOf(t, r.Release, "glm:local") != 0.7 {
		t.Error("a dropped override came back")
	}
	p.arrives(nc, r.Release.Number)
}

func TestReset(t *testing.T) {
	p := newPlane(t)
	pub, _ := p.start()
	r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.1, "far": 3})
	must(t, r, err)
	r, err = pub.SetWeights(t.Context(), who, "demo", map[string]float64{pub.Current().Snapshot.Models[1].Endpoints[0].ID: 2})
	must(t, r, err)
	r, err = pub.ResetWeights(t.Context(), who, "glm")
	must(t, r, err)
	if !r.Changed || weightOf(t, r.Release, "glm:local") != 0.7 || weightOf(t, r.Release, "glm:far") != 0.3 {
		t.Errorf("after a reset %+v", r.Release.Snapshot.Models[0].Endpoints)
	}
	if r.Release.Snapshot.Models[1].Endpoints[0].Weight != 2 {
		t.Error("the reset of one model touched another")
	}
	r, err = pub.ResetWeights(t.Context(), who, "")
	must(t, r, err)
	if r.Release.Snapshot.Models[1].Endpoints[0].Weight != 1 {
		t.Error("the reset of all left one")
	}
	before := r.Release.Number
	r, err = pub.ResetWeights(t.Context(), who, "")
	if must(t, r, err); r.Changed || r.Release.Number != before {
		t.Errorf("nothing to reset gave release %d", r.Release.Number)
	}
}

func TestAWeightThatTheFilesGiveIsNoOverride(t *testing.T) {
	p := newPlane(t)
	pub, _ := p.start()
	overrides := func(want int) {
		t.Helper()
		db, err := pub.State()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := db.Overrides(t.Context()); err != nil || len(got.Weights) != want {
			t.Errorf("overrides %v, %v; want %d", got, err, want)
		}
	}
	r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.2, "far": 0.3})
	must(t, r, err)
	overrides(1)
	p.write(strings.ReplaceAll(models, "weight: 0.7", "weight: 0.2")) // what was tried is now written down
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	overrides(0)
	p.write(models)
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	if must(t, r, err); weightOf(t, r.Release, "glm:local") != 0.7 {
		t.Error("an override that had become the file's own came back")
	}
	r, err = pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.9})
	must(t, r, err)
	r, err = pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.7})
	if must(t, r, err); !r.Changed {
		t.Error("back to the file's weight is a change")
	}
	overrides(0)
	// an endpoint that is off in the files, switched on, and left alone by the next change
	p.write(strings.ReplaceAll(models, "weight: 0.3", "weight: 0"))
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	for _, id := range []string{"far", "local"} {
		r, err = pub.SetWeights(t.Context(), who, "glm", map[string]float64{id: 0.5})
		must(t, r, err)
	}
	overrides(2)
}

func TestBadWeightsAreRefusedAndChangeNothing(t *testing.T) {
	p := newPlane(t)
	pub, _ := p.start()
	f := func(model string, weights map[string]float64, want string) {
		t.Helper()
		_, err := pub.SetWeights(t.Context(), who, model, weights)
		if !errors.Is(err, publish.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %v: %v, want %q", model, weights, err, want)
		}
	}
	f("gpt", map[string]float64{"x": 1}, `model "gpt" not found; available: glm, demo`)
	f("", map[string]float64{"x": 1}, "no model specified")
	f("glm", map[string]float64{"lokal": 1}, `glm has no endpoint "lokal"; available: local, far`)
	f("glm", map[string]float64{"local": -1}, "must be from 0")
	f("glm", map[string]float64{"local": 1, "glm:local": 2}, "duplicate endpoint")
	f("glm", nil, "no weights specified")
	f("glm", map[string]float64{"local": 0, "far": 0}, "could not be served")
	if n := pub.Current().Number; n != 1 {
		t.Errorf("release %d", n)
	}
}

func TestABrokenFileChangesNothing(t *testing.T) {
	p := newPlane(t)
	pub, stop := p.start()
	p.write("models: [{id: glm, contxt_length: 5}]")
	var problems config.Problems
	if _, err := pub.Apply(t.Context(), who, publish.Source{}); !errors.As(err, &problems) || !strings.Contains(err.Error(), "models.yaml:1: models[0].contxt_length") {
		t.Errorf("apply of a broken file: %v", err)
	}
	if n := pub.Current().Number; n != 1 {
		t.Errorf("release %d", n)
	}
	stop()
	pub, stop = p.start() // the last good release stays
	if n := pub.Current().Number; n != 1 {
		t.Errorf("release %d", n)
	}
	r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.4})
	if must(t, r, err); r.Release.Number != 2 {
		t.Errorf("release %d", r.Release.Number)
	}
	stop()
	// without any release there is nothing to go on with
	if err := os.Remove(filepath.Join(p.dir, "gateway.db")); err != nil {
		t.Fatal(err)
	}
	if err := publish.New(p.options()).Run(t.Context()); !errors.As(err, &problems) {
		t.Errorf("a start without anything: %v", err)
	}
}

func TestSentConfigurationOutlivesARestart(t *testing.T) {
	p := newPlane(t)
	pub, stop := p.start()
	sent := strings.ReplaceAll(models, "id: demo", "id: demo2")
	dry := who
	dry.DryRun = true
	r, err := pub.Apply(t.Context(), dry, publish.Source{Models: &sent})
	if must(t, r, err); !r.Changed || len(r.Changes) != 2 || pub.Current().Number != 1 {
		t.Errorf("dry run: %+v", r)
	}
	r, err = pub.Apply(t.Context(), who, publish.Source{Models: &sent})
	must(t, r, err)
	stop()
	pub, _ = p.start()
	if _, err := publish.FindModel(&pub.Current().Snapshot, "demo2"); err != nil {
		t.Error(err)
	}
	r, err = pub.Apply(t.Context(), who, publish.Source{}) // but not the file's own return
	must(t, r, err)
	if _, err := publish.FindModel(&r.Release.Snapshot, "demo"); err != nil {
		t.Error(err)
	}
}

func TestRollbackAndConflicts(t *testing.T) {
	p := newPlane(t)
	pub, stop := p.start()
	r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.4})
	must(t, r, err)
	r, err = pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0, "far": 1})
	must(t, r, err)
	stale := who
	stale.IfRelease = 2
	var conflict *controlstate.ConflictError
	if _, err := pub.ResetWeights(t.Context(), stale, "glm"); !errors.As(err, &conflict) || conflict.Number != 3 || conflict.Author != "ana" {
		t.Errorf("a change of a release that is not current: %v", err)
	}
	r, err = pub.Rollback(t.Context(), who, 2)
	must(t, r, err)
	if r.Release.Number != 4 || weightOf(t, r.Release, "glm:local") != 0.4 || weightOf(t, r.Release, "glm:far") != 0.3 {
		t.Errorf("rolled back to %+v", r.Release.Snapshot.Models[0].Endpoints)
	}
	if _, err := pub.Rollback(t.Context(), who, 77); !errors.Is(err, controlstate.ErrNotFound) {
		t.Errorf("rollback to nothing: %v", err)
	}
	stop()
	p.write(strings.ReplaceAll(models, "weight: 0.3", "weight: 0.6")) // overrides are those of the old release now
	pub, _ = p.start()
	if got := pub.Current(); weightOf(t, got, "glm:local") != 0.4 || weightOf(t, got, "glm:far") != 0.6 {
		t.Errorf("after new files %+v", got.Snapshot.Models[0].Endpoints)
	}
}

func TestWhatNATSLosesComesBack(t *testing.T) {
	p := newPlane(t)
	nc := p.nats.Connect("node")
	pub, _ := p.start()
	p.arrives(nc, 1)
	port := p.nats.Port()

	p.nats.Stop()
	// changes are committed while NATS is away
	r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.4})
	if must(t, r, err); r.Release.Number != 2 {
		t.Errorf("release %d", r.Release.Number)
	}
	bustest.StartOn(t, t.TempDir(), port) // with wiped storage
	began := time.Now()
	eventually.True(t, "the release is back", func() bool {
		if !nc.IsConnected() {
			return false
		}
		r := stored(t, nc)
		return r != nil && r.Number == 2
	})
	t.Logf("back %v after the start of the server", time.Since(began))
	// someone deletes the bucket under a running daemon
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteKeyValue(wire.ConfigBucket); err != nil {
		t.Fatal(err)
	}
	p.arrives(nc, 2)
}

func TestTwoDaemonsAgree(t *testing.T) {
	p := newPlane(t)
	nc := p.nats.Connect("node")
	a, _ := p.start()
	b, _ := p.start()
	for i := range 10 {
		pub := []*publish.Publisher{a, b}[i%2]
		r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": float64(i + 2)})
		if must(t, r, err); r.Release.Number != uint64(i+2) {
			t.Fatalf("change %d gave release %d", i, r.Release.Number)
		}
	}
	p.arrives(nc, 11)
	eventually.True(t, "both know", func() bool { return a.Current().Number == 11 && b.Current().Number == 11 })
}

func TestALargeCatalogTravels(t *testing.T) {
	p := newPlane(t)
	var text strings.Builder
	text.WriteString("models:\n")
	for m := range 1000 {
		fmt.Fprintf(&text, "  - id: vendor/model-%d\n    description: The model number %d of a catalog that is far larger than anybody's.\n    route:\n", m, m)
		for e := range 5 {
			fmt.Fprintf(&text, "      - {id: e%d, kind: openai_compat, base_url: \"https://provider-%d.example.com/v1\", api_key: \"${KEY_%d}\"}\n", e, e, e)
		}
	}
	p.write(text.String())
	nc := p.nats.Connect("node")
	pub, _ := p.start()
	p.arrives(nc, 1)
	began := time.Now()
	r, err := pub.SetWeights(t.Context(), who, "vendor/model-7", map[string]float64{"e1": 0.5})
	must(t, r, err)
	got := p.arrives(nc, 2)
	if len(got.Snapshot.Models) != 1000 || weightOf(t, got, "vendor/model-7:e1") != 0.5 {
		t.Error("the release is not the one that was made")
	}
	t.Logf("%v from the change to the bucket", time.Since(began))
}

func TestKeysAreRepublished(t *testing.T) {
	p := newPlane(t)
	nc := p.nats.Connect("node")
	pub, _ := p.start()
	db, err := pub.State()
	if err != nil {
		t.Fatal(err)
	}
	table := func() *wire.KeyTable {
		doc, err := bus.Fetch(t.Context(), nc, wire.KeyTableKey)
		if errors.Is(err, bus.ErrNoDocument) {
			return &wire.KeyTable{}
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := bus.Open(wire.KeyTableKey, doc)
		if err != nil {
			t.Fatal(err)
		}
		k, err := wire.DecodeKeyTable(body)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	eventually.True(t, "an empty table is there", func() bool { return table().Epoch == pub.Current().Epoch })
	entry := controlstate.Entry{Author: "ana", Action: "key.create"}
	if err := db.CreateKey(t.Context(), controlstate.Key{ID: "k_1", Hash: "aa", Name: "ci", User: "ci", Role: "free"}, entry); err != nil {
		t.Fatal(err)
	}
	beats := make(chan *nats.Msg, 64)
	if _, err := nc.ChanSubscribe(wire.BeatSubject, beats); err != nil {
		t.Fatal(err)
	}
	pub.Kick()
	eventually.True(t, "the key is there", func() bool { k := table(); return len(k.Keys) == 1 && k.Keys[0].Hash == "aa" })
	eventually.True(t, "a beat carries the table", func() bool {
		b, err := wire.DecodeBeat((<-beats).Data)
		return err == nil && bytes.Contains(mustOpen(t, b.Table), []byte(`"aa"`))
	})
	eventually.True(t, "the next one does not", func() bool { b, err := wire.DecodeBeat((<-beats).Data); return err == nil && b.Table == nil })
	if _, err := db.RevokeKey(t.Context(), "k_1", entry); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	pub.Kick()
	eventually.True(t, "the key is gone", func() bool { return len(table().Keys) == 0 })
	if took := time.Since(began); took > time.Second {
		t.Errorf("a revocation took %v to the bucket", took)
	}
}

// mustOpen returns the body of a key table, nil for none.
func mustOpen(t *testing.T, doc []byte) []byte {
	t.Helper()
	if doc == nil {
		return nil
	}
	body, err := bus.Open(wire.KeyTableKey, doc)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestTheDatabaseMayComeLater(t *testing.T) {
	p := newPlane(t)
	o := p.options()
	open, up := o.Open, make(chan struct{})
	o.Open = func(ctx context.Context) (*controlstate.State, error) {
		select {
		case <-up:
			return open(ctx)
		default:
			return nil, errors.New("connection refused")
		}
	}
	pub := publish.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- pub.Run(ctx) }()
	if _, err := pub.Apply(t.Context(), who, publish.Source{}); !errors.Is(err, publish.ErrNoDatabase) {
		t.Errorf("a change without a database: %v", err)
	}
	close(up)
	select {
	case <-pub.Ready():
	case <-time.After(time.Minute): // machines that build beside their tests are slow
		t.Fatal("no release after a minute")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
