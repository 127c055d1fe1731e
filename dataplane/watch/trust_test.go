package watch_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// With a public key a node serves what the control plane has signed and nothing
// else: neither models nor keys that someone put into NATS.
func TestUnsignedDocumentsAreRefused(t *testing.T) {
	private, public := bus.NewSigningKey()
	signer, err := bus.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := bus.NewVerifier([]string{public})
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t)
	f.trust = trust
	dir := t.TempDir()
	stop := f.start(dir)
	put := func(signer *bus.Signer, number uint64, id string) {
		t.Helper()
		r := wire.Release{Epoch: 1, Number: number, Snapshot: wire.Snapshot{Models: []wire.Model{model(id, "")}}}
		r.Hash, _ = r.Snapshot.Sum()
		body, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		doc, err := signer.Seal(wire.ReleaseKey, 1, number, body)
		if err != nil {
			t.Fatal(err)
		}
		f.store(wire.ReleaseKey, doc)
		f.beat(wire.Beat{Epoch: 1, Release: number, Hash: r.Hash})
	}
	put(signer, 1, "ours")
	f.serves(1, "ours")
	put(nil, 2, "forged")
	f.keys(7, "forged")
	forged, err := bus.Seal(wire.KeyTableKey, 1, 7, f.table(7, "forged"))
	if err != nil {
		t.Fatal(err)
	}
	f.beat(wire.Beat{Epoch: 1, Release: 2, Keys: 7, Table: forged})
	eventually.True(t, "the refusal is reported", func() bool {
		s := f.status.Load()
		notes := f.watcher.Notes()
		return s != nil && s.State == wire.StateRejected && strings.Contains(s.Reason, "not signed") && strings.Count(strings.Join(notes, "\n"), "a document was rejected") == 2
	})
	f.serves(1, "ours")
	if k := f.current.Load().Keys; k.Version != 0 {
		t.Errorf("key table %d is in service", k.Version)
	}
	put(signer, 1, "ours") // as the control plane does when it finds another in its place
	eventually.True(t, "the refusal is over", func() bool { s := f.status.Load(); return s.State == wire.StateApplied && s.Release == 1 })
	put(signer, 3, "next")
	f.serves(3, "next")
	eventually.True(t, "the node has it", func() bool { s := f.status.Load(); return s.State == wire.StateApplied && s.Release == 3 })
	stop()
	// what was checked when it was fetched is served from disk
	f.start(dir)
	f.serves(3, "next")
}
