// Package watch keeps a node's snapshot current: it hears which release and
// key table are announced, fetches, builds and swaps them in, keeps the last
// good ones on disk, and tells the control plane what became of each. Whatever
// happens to NATS or the control plane, the node serves on with what it has.
package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// statusEvery is the period of the node's heartbeat.
	statusEvery = 2 * time.Second
	// pollEvery is how often documents are fetched regardless of any beat.
	pollEvery = 10 * time.Second
	// fetchTime bounds one fetch.
	fetchTime = 5 * time.Second
	// quietBeat is the age of the last beat beyond which the control plane counts as away.
	quietBeat = 5 * time.Second
)

// Options configure a Watcher.
type Options struct {
	Conn *nats.Conn
	// Node is the name by which a canary names the node.
	Node    string
	Builder *snapshot.Builder
	// Current is the pointer that requests load.
	Current *atomic.Pointer[snapshot.Snapshot]
	// Trust opens what is fetched; nil takes unsigned documents, too.
	Trust *bus.Verifier
	// Dir keeps the last good documents; "" keeps none. What is in it was
	// checked when it was fetched.
	Dir string
	// Status fills in what the rest of the node knows for its heartbeat.
	Status func(*wire.NodeStatus)
	Log    *slog.Logger
}

// Watcher owns the node's documents. Run's goroutine alone touches them.
type Watcher struct {
	o     Options
	disk  disk
	beats chan wire.Beat
	// reload asks Run to build what is in service once more.
	reload chan struct{}

	decoder wire.ReleaseDecoder
	release *wire.Release
	keys    *wire.KeyTable
	canary  canary
	// refused is the release that failed to build and is not tried again.
	refused refusal
	source  string
	offered uint64
	// watched are models whose endpoints' counts are reported, until when.
	watched map[string]time.Time

	// unkept are documents in service that the disk has not taken.
	unkept struct{ release, keys []byte }
	// diskTrouble is why, nil if there is none.
	diskTrouble atomic.Pointer[string]

	// mistrust is why a document is refused, by its key; nil if it is not.
	mistrust map[string]*atomic.Pointer[string]

	lastBeat atomic.Int64 // unix milliseconds by this node's clock
	// keysSure is when the key table was last known to be the current one.
	keysSure atomic.Int64
	fromDisk atomic.Bool
	applied  atomic.Int64 // unix milliseconds
	rejected atomic.Uint64
}

type refusal struct {
	epoch, number uint64
	hash, reason  string
}

// is reports whether a release is the one that was refused. No hash is any.
func (r *refusal) is(epoch, number uint64, hash string) bool {
	return epoch == r.epoch && number == r.number && (hash == "" || hash == r.hash)
}

// New returns a watcher and puts the last good documents from disk, if there
// are any, into service.
func New(o Options) *Watcher {
	w := &Watcher{
		o: o, disk: disk{dir: o.Dir}, beats: make(chan wire.Beat, 16), reload: make(chan struct{}, 1), source: wire.SourceNATS,
		mistrust: map[string]*atomic.Pointer[string]{wire.ReleaseKey: {}, wire.KeyTableKey: {}, wire.CanaryKey: {}},
	}
	w.boot()
	return w
}

// boot serves what the disk has, so that a node can start while NATS is away.
func (w *Watcher) boot() {
	release, keys, err := w.disk.load()
	if err != nil {
		w.o.Log.Warn("stored documents are unusable", slog.String("error", err.Error()))
	}
	s, err := w.o.Builder.Build(release, keys)
	if err != nil {
		w.o.Log.Warn("the stored release is unusable", slog.String("error", err.Error()))
		release, keys = nil, nil
		s, _ = w.o.Builder.Build(nil, nil) // nothing in it can fail
	}
	w.release, w.keys = release, keys
	w.o.Current.Store(s)
	if release != nil {
		w.applied.Store(time.Now().UnixMilli())
		w.source = wire.SourceDisk
		w.fromDisk.Store(true)
		w.keysSure.Store(w.disk.written(wire.KeyTableKey))
		w.offered = release.Number
		w.o.Log.Info("serving the release stored on disk", slog.Uint64("release", release.Number))
	}
}

// Reload has the snapshot built anew, with secrets as they are now.
func (w *Watcher) Reload() {
	select {
	case w.reload <- struct{}{}:
	default: // one is waiting already
	}
}

// rebuild compiles what is in service once more.
func (w *Watcher) rebuild() {
	w.o.Builder.Forget()
	s, err := w.build(w.release, w.keys, w.canary.release)
	if err != nil {
		w.o.Log.Error("failed to rebuild the release; keeping the last snapshot", slog.String("error", err.Error()))
		return
	}
	w.o.Current.Store(s)
	w.o.Log.Info("secrets reloaded", slog.Int("out_of_service", len(s.Missing)))
	w.sendStatus()
}

// Run follows the announcements until ctx is done.
func (w *Watcher) Run(ctx context.Context) error {
	sub, err := w.o.Conn.Subscribe(wire.BeatSubject, w.hear)
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", wire.BeatSubject, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
	connected := w.o.Conn.StatusChanged(nats.CONNECTED)
	defer w.o.Conn.RemoveStatusListener(connected)
	status := time.NewTicker(statusEvery)
	defer status.Stop()
	poll := time.NewTimer(0)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			w.sayGoodbye()
			return nil
		case b := <-w.beats:
			w.watch(b.Watch, time.Now())
			release, keys := w.behind(b)
			switch {
			case keys && !release && w.takeTable(b):
			case release || keys:
				w.refresh(ctx, release, keys)
			}
			if !keys {
				w.confirmKeys()
			}
			w.followCanary(ctx, b, time.Now())
		case <-connected:
			w.refresh(ctx, true, true)
		case <-w.reload:
			w.rebuild()
		case <-poll.C:
			poll.Reset(pollEvery - pollEvery/10 + rand.N(pollEvery/5))
			w.keep(nil, nil)
			w.refresh(ctx, true, true)
		case <-status.C:
			w.sendStatus()
		}
	}
}

// hear takes a beat off the wire. A full queue drops it: the next comes in a second.
func (w *Watcher) hear(m *nats.Msg) {
	b, err := wire.DecodeBeat(m.Data)
	if err != nil {
		w.o.Log.Warn("unreadable beat", slog.String("error", err.Error()))
		return
	}
	w.lastBeat.Store(time.Now().UnixMilli())
	select {
	case w.beats <- b:
	default:
	}
}

// behind reports whether a beat announces something newer than what is in service.
func (w *Watcher) behind(b wire.Beat) (release, keys bool) {
	epoch, number := w.position()
	release = newer(b.Epoch, b.Release, epoch, number) && !w.refused.is(b.Epoch, b.Release, b.Hash)
	keys = w.keys == nil && b.Keys > 0 || w.keys != nil && newer(b.Epoch, b.Keys, w.keys.Epoch, w.keys.Version)
	// what is not to be trusted is replaced soon
	release = release || w.mistrust[wire.ReleaseKey].Load() != nil
	keys = keys || w.mistrust[wire.KeyTableKey].Load() != nil
	return release, keys
}

// confirmKeys notes that the key table is the current one.
func (w *Watcher) confirmKeys() { w.keysSure.Store(time.Now().UnixMilli()) }

func (w *Watcher) position() (epoch, number uint64) {
	if w.release == nil {
		return 0, 0
	}
	return w.release.Epoch, w.release.Number
}

// newer orders by epoch, then number.
func newer(epoch, number, thanEpoch, than uint64) bool {
	return epoch > thanEpoch || epoch == thanEpoch && number > than
}

// refresh fetches the documents that are asked for and puts into service what
// is newer.
func (w *Watcher) refresh(ctx context.Context, wantRelease, wantKeys bool) {
	if !w.o.Conn.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	var release *wire.Release
	var keys *wire.KeyTable
	var releaseDoc, keysDoc []byte
	if wantRelease {
		release, releaseDoc = w.fetchRelease(ctx)
	}
	if wantKeys {
		keys, keysDoc = w.fetchKeys(ctx)
	}
	if release != nil || keys != nil {
		w.swap(release, releaseDoc, keys, keysDoc)
	}
}

// takeTable puts the key table that a beat carries into service. It reports
// whether that is the one that the beat announces; else it has to be fetched.
func (w *Watcher) takeTable(b wire.Beat) bool {
	if len(b.Table) == 0 {
		return false
	}
	body, err := w.o.Trust.Open(wire.KeyTableKey, b.Table)
	if err != nil {
		return false
	}
	t, err := wire.DecodeKeyTable(body)
	if err != nil || t.Epoch != b.Epoch || t.Version != b.Keys {
		return false
	}
	w.swap(nil, nil, t, b.Table)
	return true
}

// swap puts what is newer into service, keeps its documents on disk and reports
// what has become of it. What stays as it is is nil.
func (w *Watcher) swap(release *wire.Release, releaseDoc []byte, keys *wire.KeyTable, keysDoc []byte) {
	if err := w.apply(release, keys); err != nil {
		w.refuse(release, err)
	} else {
		w.keep(releaseDoc, keysDoc)
	}
	w.sendStatus()
}

// keep puts documents on disk, and those that it could not take before. What
// fails is told in the node's health and tried again with every poll.
func (w *Watcher) keep(release, keys []byte) {
	if release != nil {
		w.unkept.release = release
	}
	if keys != nil {
		w.unkept.keys = keys
	}
	if w.unkept.release == nil && w.unkept.keys == nil {
		return
	}
	if err := w.disk.save(w.unkept.release, w.unkept.keys); err != nil {
		w.o.Log.Error("failed to store the release on disk", slog.String("error", err.Error()))
		text := err.Error()
		w.diskTrouble.Store(&text)
		return
	}
	w.unkept.release, w.unkept.keys = nil, nil
	w.diskTrouble.Store(nil)
}

// fetchRelease returns the current release and its document, nil unless it is
// newer than the one in service.
func (w *Watcher) fetchRelease(ctx context.Context) (*wire.Release, []byte) {
	doc, body := w.fetch(ctx, wire.ReleaseKey)
	if body == nil {
		return nil, nil
	}
	r, err := w.decoder.Decode(body)
	if err != nil {
		w.o.Log.Error("unreadable release", slog.String("error", err.Error()))
		return nil, nil
	}
	epoch, number := w.position()
	if !newer(r.Epoch, r.Number, epoch, number) || w.refused.is(r.Epoch, r.Number, r.Hash) {
		return nil, nil
	}
	w.offered = r.Number
	return r, doc
}

func (w *Watcher) fetchKeys(ctx context.Context) (*wire.KeyTable, []byte) {
	doc, body := w.fetch(ctx, wire.KeyTableKey)
	if body == nil {
		return nil, nil
	}
	t, err := wire.DecodeKeyTable(body)
	if err != nil {
		w.o.Log.Error("unreadable key table", slog.String("error", err.Error()))
		return nil, nil
	}
	if w.keys != nil && !newer(t.Epoch, t.Version, w.keys.Epoch, w.keys.Version) {
		return nil, nil
	}
	return t, doc
}

func (w *Watcher) fetch(ctx context.Context, key string) (doc, body []byte) {
	doc, err := bus.Fetch(ctx, w.o.Conn, key)
	if err != nil {
		if !errors.Is(err, bus.ErrNoDocument) {
			w.o.Log.Warn("failed to fetch a document", slog.String("key", key), slog.String("error", err.Error()))
		}
		return nil, nil
	}
	body, err = w.o.Trust.Open(key, doc)
	if errors.Is(err, bus.ErrUntrusted) {
		w.distrust(key, doc, err)
		return nil, nil
	}
	if err != nil {
		w.o.Log.Error("damaged document", slog.String("key", key), slog.String("error", err.Error()))
		return nil, nil
	}
	if w.mistrust[key].Swap(nil) != nil && key == wire.ReleaseKey {
		w.refused = refusal{} // the control plane has put its own in its place
		w.sendStatus()
	}
	return doc, body
}

// distrust leaves a document alone that no trusted key has signed: what is in
// service stays. It is logged and reported once for each version.
func (w *Watcher) distrust(key string, doc []byte, err error) {
	epoch, gen, _ := bus.Version(doc) // it was read a moment ago
	text := fmt.Sprintf("%s %d of epoch %d: %s", key, gen, epoch, err)
	if was := w.mistrust[key].Swap(&text); was != nil && *was == text {
		return
	}
	w.o.Log.Error("document rejected: it may be forged, or RELEASE_PUBLIC_KEY lacks the control plane's key", slog.String("key", key), slog.String("error", text))
	if key == wire.ReleaseKey {
		w.offered = gen
		w.refused = refusal{epoch: epoch, number: gen, reason: err.Error()}
	}
	w.sendStatus()
}

// apply builds a snapshot with what is new and swaps it in.
func (w *Watcher) apply(release *wire.Release, keys *wire.KeyTable) error {
	nextRelease, nextKeys := w.release, w.keys
	if release != nil {
		nextRelease = release
	}
	if keys != nil {
		nextKeys = keys
	}
	first := w.canary.release
	if first != nil && !newer(first.Epoch, first.Number, nextRelease.Epoch, nextRelease.Number) {
		first = nil // it has ended, one way or another
	}
	s, err := w.build(nextRelease, nextKeys, first)
	if err != nil {
		return err
	}
	w.o.Current.Store(s)
	w.release, w.keys, w.canary.release = nextRelease, nextKeys, first
	if release != nil {
		w.applied.Store(time.Now().UnixMilli())
	}
	w.source = wire.SourceNATS
	w.fromDisk.Store(false)
	if release != nil {
		w.refused = refusal{}
		w.o.Log.Info("release applied", slog.Uint64("release", release.Number), slog.Int("models", len(s.Models)), slog.Int("out_of_service", len(s.Missing)))
	}
	if keys != nil {
		w.confirmKeys()
		w.o.Log.Info("key table applied", slog.Uint64("version", keys.Version), slog.Int("keys", len(keys.Keys)))
	}
	return nil
}

// refuse keeps what is in service and remembers why.
func (w *Watcher) refuse(release *wire.Release, err error) {
	w.rejected.Add(1)
	if release == nil {
		w.o.Log.Error("key table rejected", slog.String("error", err.Error()))
		return
	}
	w.refused = refusal{release.Epoch, release.Number, release.Hash, err.Error()}
	w.o.Log.Error("release rejected; keeping the last good one", slog.Uint64("release", release.Number), slog.String("error", err.Error()))
}
