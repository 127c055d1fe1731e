package watch_test

import (
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// canary stores a canary for nodes and returns its notice.
func (f *fleet) canary(number uint64, nodes []string, models ...wire.Model) *wire.CanaryNotice {
	f.t.Helper()
	r := &wire.Release{Epoch: 1, Number: number, Snapshot: wire.Snapshot{Models: models}}
	var err error
	if r.Hash, err = r.Snapshot.Sum(); err != nil {
		f.t.Fatal(err)
	}
	body, err := wire.EncodeCanary(r, nodes)
	if err != nil {
		f.t.Fatal(err)
	}
	f.put(wire.CanaryKey, 1, number, body)
	return &wire.CanaryNotice{Number: number, Hash: r.Hash, Nodes: nodes}
}

func TestACanaryIsServedUntilAReleaseEndsIt(t *testing.T) {
	f := newFleet(t)
	dir := t.TempDir()
	stop := f.start(dir)
	f.release(1, 3, model("base", "free"))
	f.serves(3, "base")

	notice := f.canary(4, []string{"n0", "n1"}, model("try", "free"))
	if s := f.current.Load(); s.Release != 3 || s.Canary {
		t.Fatalf("release %d (canary %v) before anyone announced it", s.Release, s.Canary)
	}
	f.beat(wire.Beat{Epoch: 1, Release: 3, Canary: notice})
	f.serves(4, "try")
	f.reports("the canary beside the release", func(s *wire.NodeStatus) bool {
		return s.Release == 3 && s.Canary != nil && *s.Canary == wire.CanaryStatus{Number: 4, Hash: notice.Hash, State: wire.StateApplied}
	})
	if !f.current.Load().Canary {
		t.Error("the snapshot does not say that it is a canary's")
	}
	f.beat(wire.Beat{Epoch: 1, Release: 3}) // of a daemon that does not know yet
	f.keys(1, "k")                          // a new key table leaves the canary as it is
	eventually.True(t, "the keys are there", func() bool { return f.current.Load().Keys.Version == 1 })
	if s := f.current.Load(); s.Release != 4 || !s.Canary {
		t.Errorf("release %d (canary %v) with the new keys", s.Release, s.Canary)
	}

	stop() // a node that restarts serves what all serve, until it hears of the canary again
	stop = f.start(dir)
	defer stop()
	f.serves(3, "base")
	f.beat(wire.Beat{Epoch: 1, Release: 3, Canary: notice})
	f.serves(4, "try")

	f.release(1, 4, model("other", "free")) // of an earlier daemon, which has not counted the canary
	f.serves(4, "other")
	f.reports("no canary", func(s *wire.NodeStatus) bool { return s.Release == 4 && s.Canary != nil && s.Canary.Number == 0 })
	f.beat(wire.Beat{Epoch: 1, Release: 4, Canary: notice}) // late
	f.keys(2, "k")
	eventually.True(t, "the beat was read", func() bool { return f.current.Load().Keys.Version == 2 })
	if s := f.current.Load(); s.Canary || s.Model([]byte("try")) != nil {
		t.Error("a canary came back after its end")
	}
}

func TestACanaryForOthersAndOneThatCannotBeServed(t *testing.T) {
	f := newFleet(t)
	f.start("")
	f.release(1, 3, model("base", "free"))
	f.serves(3, "base")
	notice := f.canary(4, []string{"n0"}, model("try", "free"))
	f.beat(wire.Beat{Epoch: 1, Release: 3, Canary: notice})
	notice.Nodes = []string{"n1"} // the document decides, which is signed
	f.beat(wire.Beat{Epoch: 1, Release: 3, Canary: notice})

	bad := model("try", "free")
	bad.Endpoints[0].Kind = "of the future"
	f.beat(wire.Beat{Epoch: 1, Release: 3, Canary: f.canary(5, []string{"n1"}, bad)})
	f.reports("the refusal", func(s *wire.NodeStatus) bool {
		return s.Release == 3 && s.State == wire.StateApplied && s.Canary != nil && s.Canary.Number == 5 && s.Canary.State == wire.StateRejected && s.Canary.Reason != ""
	})
	if s := f.current.Load(); s.Release != 3 || s.Canary {
		t.Errorf("release %d (canary %v)", s.Release, s.Canary)
	}
}

func TestACanaryThatIsNoLongerAnnounced(t *testing.T) {
	f := newFleet(t)
	stop := f.start("")
	f.release(1, 3, model("base", "free"))
	f.serves(3, "base")
	f.beat(wire.Beat{Epoch: 1, Release: 3, Canary: f.canary(4, []string{"n1"}, model("try", "free"))})
	f.serves(4, "try")
	stop()
	f.watcher.LeaveCanary(time.Now().Add(10 * time.Second))
	f.serves(4, "try") // another daemon may announce it still
	f.watcher.LeaveCanary(time.Now().Add(time.Minute))
	f.serves(3, "base")
}
