package watch_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/dataplane/watch"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// fleet is a control plane's side and one watcher on a real NATS server.
type fleet struct {
	t       *testing.T
	nats    *bustest.Server
	control *nats.Conn
	status  atomic.Pointer[wire.NodeStatus]
	current atomic.Pointer[snapshot.Snapshot]
	watcher *watch.Watcher
	trust   *bus.Verifier
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{t: t, nats: bustest.Start(t)}
	f.control = f.nats.Connect("control")
	if _, err := f.control.Subscribe(wire.NodeStatusPrefix+"n1", func(m *nats.Msg) {
		if s, err := wire.DecodeNodeStatus(m.Data); err == nil {
			f.status.Store(s)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return f
}

// start runs the watcher of node n1 and returns what stops it.
func (f *fleet) start(dir string) (stop func()) {
	f.t.Helper()
	f.watcher = watch.New(watch.Options{
		Conn: f.nats.Connect("n1"), Node: "n1", Trust: f.trust, Dir: dir, Current: &f.current, Log: slog.New(slog.NewTextHandler(f.t.Output(), nil)),
		Builder: &snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return "", false }},
		Status:  func(s *wire.NodeStatus) { s.Node = "n1" },
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(f.t.Context()))
	done := make(chan error, 1)
	go func() { done <- f.watcher.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	}
	f.t.Cleanup(stop)
	return stop
}

func model(id, role string) wire.Model {
	return wire.Model{ID: id, Name: id, Type: "chat", RequiredRole: role, Endpoints: []wire.Endpoint{{ID: id + ":demo-api", Kind: "demo", Provider: "Demo", Weight: 1, UpstreamModel: "demo"}}}
}

// put stores a document as the control plane does.
func (f *fleet) put(key string, epoch, number uint64, body []byte) {
	f.t.Helper()
	doc, err := bus.Seal(key, epoch, number, body)
	if err != nil {
		f.t.Fatal(err)
	}
	f.store(key, doc)
}

func (f *fleet) store(key string, doc []byte) {
	f.t.Helper()
	kv, err := bus.EnsureConfig(f.t.Context(), f.control, 1)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := kv.Put(f.t.Context(), key, doc); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) release(epoch, number uint64, models ...wire.Model) {
	f.t.Helper()
	r := wire.Release{Epoch: epoch, Number: number, Snapshot: wire.Snapshot{Models: models}}
	var err error
	if r.Hash, err = r.Snapshot.Sum(); err != nil {
		f.t.Fatal(err)
	}
	body, err := r.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	f.put(wire.ReleaseKey, epoch, number, body)
	f.beat(wire.Beat{Epoch: epoch, Release: number, Hash: r.Hash})
}

func (f *fleet) keys(version uint64, ids ...string) {
	f.t.Helper()
	f.put(wire.KeyTableKey, 1, version, f.table(version, ids...))
	f.beat(wire.Beat{Epoch: 1, Keys: version})
}

func (f *fleet) table(version uint64, ids ...string) []byte {
	f.t.Helper()
	k := wire.KeyTable{Epoch: 1, Version: version}
	for _, id := range ids {
		k.Keys = append(k.Keys, wire.Key{ID: id, Hash: strings.Repeat("a", 62) + id})
	}
	body, err := k.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	return body
}

func (f *fleet) beat(b wire.Beat) {
	f.t.Helper()
	data, err := b.Encode()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.control.Publish(wire.BeatSubject, data); err != nil {
		f.t.Fatal(err)
	}
}

// serves waits until requests see that release with that model.
func (f *fleet) serves(number uint64, id string) {
	f.t.Helper()
	eventually.True(f.t, "the node serves another release", func() bool {
		s := f.current.Load()
		return s.Release == number && s.Model([]byte(id)) != nil
	})
}

// reports waits for a status of the node that fits.
func (f *fleet) reports(what string, fits func(*wire.NodeStatus) bool) {
	f.t.Helper()
	eventually.True(f.t, what, func() bool { s := f.status.Load(); return s != nil && fits(s) })
}

func TestReleasesAndKeysAreFollowed(t *testing.T) {
	f := newFleet(t)
	f.start("")
	if s := f.current.Load(); s == nil || len(s.Models) != 0 || s.Release != 0 {
		t.Fatalf("before any release: %+v", s)
	}
	f.reports("a node without a release says so", func(s *wire.NodeStatus) bool { return s.State == wire.StateNone })
	f.release(1, 1, model("a", ""))
	f.serves(1, "a")
	f.beat(wire.Beat{Epoch: 1, Release: 1, Watch: []string{"b", "gone"}})
	f.release(1, 2, model("a", ""), model("b", ""))
	f.serves(2, "b")
	f.reports("the release is acknowledged", func(s *wire.NodeStatus) bool { return s.Release == 2 && s.State == wire.StateApplied })
	if c := f.status.Load().Counts; len(c) != 1 || c[0].Endpoint != "b:demo-api" || c[0].Since == 0 {
		t.Errorf("the counts of the watched model are %+v", c)
	}
	f.keys(1, "01", "02")
	eventually.True(t, "the key table arrives", func() bool { return f.current.Load().Keys.Version == 1 })
	f.reports("the key table is acknowledged", func(s *wire.NodeStatus) bool { return s.Keys == 1 && s.Release == 2 })
	if c, notes := f.watcher.Control(); len(notes) > 0 || c.NATS != "connected" || c.BeatAgeMS < 0 || c.KeysAgeMS < 0 || c.Source != wire.SourceNATS {
		t.Errorf("%+v %q", c, notes)
	}
}

// A key table that comes with the beat is not fetched, unless it is not what the
// beat announces.
func TestAKeyTableComesWithItsBeat(t *testing.T) {
	f := newFleet(t)
	f.start("")
	f.release(1, 1, model("a", ""))
	f.serves(1, "a")
	sealed := func(version uint64) []byte {
		doc, err := bus.Seal(wire.KeyTableKey, 1, version, f.table(version, "01"))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	catalog := f.current.Load().Catalog
	f.beat(wire.Beat{Epoch: 1, Release: 1, Keys: 1, Table: sealed(1)}) // the bucket has none
	eventually.True(t, "the key table arrives", func() bool { return f.current.Load().Keys.Version == 1 })
	f.reports("the key table is acknowledged", func(s *wire.NodeStatus) bool { return s.Keys == 1 })
	if s := f.current.Load(); s.Catalog != catalog || s.Model([]byte("a")) == nil {
		t.Error("the release was compiled again")
	}
	f.put(wire.KeyTableKey, 1, 3, f.table(3, "02"))
	for _, table := range [][]byte{[]byte("GWS1 damaged"), sealed(2)} {
		f.beat(wire.Beat{Epoch: 1, Release: 1, Keys: 3, Table: table})
	}
	eventually.True(t, "it is fetched", func() bool { return f.current.Load().Keys.Version == 3 })
}

// A release that does not build is refused, with its reason, and the one in
// service stays; a newer one is applied.
func TestARefusedReleaseLeavesTheLastOne(t *testing.T) {
	f := newFleet(t)
	f.start("")
	f.release(1, 1, model("a", ""))
	f.serves(1, "a")
	f.release(1, 2, model("b", "a role that does not exist"))
	f.reports("the release is refused", func(s *wire.NodeStatus) bool {
		return s.State == wire.StateRejected && s.Release == 1 && s.Offered == 2 && strings.Contains(s.Reason, "role") && s.RejectedHash != ""
	})
	f.serves(1, "a")
	f.release(1, 3, model("c", ""))
	f.serves(3, "c")
	f.reports("the refusal is over", func(s *wire.NodeStatus) bool { return s.State == wire.StateApplied && s.Release == 3 })
}

// The order is by epoch, then number; what is older or damaged changes nothing.
func TestOlderAndDamagedDocumentsAreIgnored(t *testing.T) {
	f := newFleet(t)
	f.start("")
	f.release(2, 5, model("a", ""))
	f.serves(5, "a")
	f.release(2, 4, model("older", ""))
	f.release(1, 9, model("older epoch", ""))
	f.store(wire.ReleaseKey, []byte("GWS1 damaged"))
	f.beat(wire.Beat{Epoch: 2, Release: 6})
	if err := f.control.Publish(wire.BeatSubject, []byte("not a beat")); err != nil {
		t.Fatal(err)
	}
	f.keys(7) // handled after all of the above
	eventually.True(t, "the key table arrives", func() bool { return f.current.Load().Keys.Version == 7 })
	f.serves(5, "a")
	f.release(3, 1, model("b", "")) // a restored control plane begins a new epoch
	f.serves(1, "b")
}

// A node starts with what its disk has, while NATS is away.
func TestStartFromDisk(t *testing.T) {
	f := newFleet(t)
	dir := t.TempDir()
	stop := f.start(dir)
	f.release(1, 1, model("a", ""))
	f.serves(1, "a")
	f.release(1, 2, model("b", ""))
	f.keys(1, "01")
	f.serves(2, "b")
	eventually.True(t, "the key table arrives", func() bool { return f.current.Load().Keys.Version == 1 })
	kept := filepath.Join(dir, wire.ReleaseKey+".gws")
	eventually.True(t, "both are on disk", func() bool {
		_, err1 := os.Stat(kept)
		_, err2 := os.Stat(filepath.Join(dir, wire.KeyTableKey+".gws"))
		_, err3 := os.Stat(kept + ".before")
		return err1 == nil && err2 == nil && err3 == nil
	})
	stop()
	f.nats.Stop()

	boot := func(number uint64, id string) {
		t.Helper()
		w := watch.New(watch.Options{
			Conn: &nats.Conn{}, Dir: dir, Current: &f.current, Log: slog.New(slog.DiscardHandler), Status: func(*wire.NodeStatus) {},
			Builder: &snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return "", false }},
		})
		f.serves(number, id)
		if f.current.Load().Keys.Version != 1 {
			t.Error("the key table was not kept")
		}
		c, notes := w.Control()
		if c.Source != wire.SourceDisk || c.NATS != "disconnected" || c.BeatAgeMS != -1 || len(notes) == 0 {
			t.Errorf("%+v %q", c, notes)
		}
	}
	boot(2, "b")
	if err := os.WriteFile(kept, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	boot(1, "a") // the copy before
}

// A disk that takes nothing is reported, and the release serves all the same.
func TestADiskThatTakesNothing(t *testing.T) {
	f := newFleet(t)
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f.start(dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	f.release(1, 1, model("a", ""))
	f.serves(1, "a")
	eventually.True(t, "the trouble is reported", func() bool {
		notes := f.watcher.Notes()
		return strings.Contains(strings.Join(notes, "\n"), "not on disk")
	})
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, "the release is kept once the disk takes it", func() bool {
		_, err := os.Stat(filepath.Join(dir, wire.ReleaseKey+".gws"))
		notes := f.watcher.Notes()
		return err == nil && len(notes) == 0 || err == nil && !strings.Contains(strings.Join(notes, "\n"), "not on disk")
	})
}
