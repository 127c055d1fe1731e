package watch

import (
	"context"
	"log/slog"
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

// canaryTime is for how long a canary is served that beats no longer announce,
// while no release ends it: a daemon may not know of it yet. After that the node
// returns to the current release.
const canaryTime = 15 * time.Second

// canary is the release that this node serves before others. It is in memory
// only: a node that restarts without a control plane serves what all serve.
type canary struct {
	// release is nil without one.
	release *wire.Release
	// announced is when a beat named it last.
	announced time.Time
	refused   refusal
}

func (c *canary) status() *wire.CanaryStatus {
	switch {
	case c.release != nil:
		return &wire.CanaryStatus{Number: c.release.Number, Hash: c.release.Hash, State: wire.StateApplied}
	case c.refused.number != 0:
		return &wire.CanaryStatus{Number: c.refused.number, Hash: c.refused.hash, State: wire.StateRejected, Reason: c.refused.reason}
	}
	return &wire.CanaryStatus{}
}

// build compiles what the node serves: the canary, or the release without one.
func (w *Watcher) build(release *wire.Release, keys *wire.KeyTable, first *wire.Release) (*snapshot.Snapshot, error) {
	if first == nil {
		return w.o.Builder.Build(release, keys)
	}
	s, err := w.o.Builder.Build(first, keys)
	if err == nil {
		s.Canary = true
	}
	return s, err
}

// followCanary takes the canary that a beat announces to this node, and leaves one that
// beats have ceased to announce.
func (w *Watcher) followCanary(ctx context.Context, b wire.Beat, now time.Time) {
	epoch, number := w.position()
	n := b.Canary
	if n == nil {
		w.canary.refused = refusal{}
		w.mistrust[wire.CanaryKey].Store(nil)
	}
	if n == nil || !(&wire.Canary{Nodes: n.Nodes}).For(w.o.Node) || !newer(b.Epoch, n.Number, epoch, number) {
		w.leaveCanary(now)
		return
	}
	if have := w.canary.release; have != nil && have.Epoch == b.Epoch && have.Number == n.Number && have.Hash == n.Hash {
		w.canary.announced = now
		return
	}
	if w.canary.refused.is(b.Epoch, n.Number, n.Hash) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	if w.takeCanary(ctx, b.Epoch, n) {
		w.canary.announced = now
		w.sendStatus()
	}
}

// takeCanary fetches the announced canary and puts it into service. It reports
// whether there is something to tell.
func (w *Watcher) takeCanary(ctx context.Context, epoch uint64, n *wire.CanaryNotice) bool {
	_, body := w.fetch(ctx, wire.CanaryKey)
	if body == nil {
		if why := w.mistrust[wire.CanaryKey].Load(); why != nil {
			w.canary.refused = refusal{epoch, n.Number, n.Hash, *why}
			return true
		}
		return false // the next beat comes in a second
	}
	c, err := wire.DecodeCanary(body)
	var r *wire.Release
	if err == nil {
		r, err = w.decoder.Decode(c.Release)
	}
	if err != nil {
		return w.refuseCanary(refusal{epoch, n.Number, n.Hash, err.Error()})
	}
	if !c.For(w.o.Node) || r.Epoch != epoch || r.Number != n.Number || r.Hash != n.Hash {
		return false // the document of another time
	}
	s, err := w.build(w.release, w.keys, r)
	if err != nil {
		return w.refuseCanary(refusal{epoch, n.Number, n.Hash, err.Error()})
	}
	w.o.Current.Store(s)
	w.canary.release, w.canary.refused = r, refusal{}
	w.o.Log.Info("serving a release as a canary", slog.Uint64("release", r.Number), slog.Int("models", len(s.Models)), slog.Int("out_of_service", len(s.Missing)))
	return true
}

func (w *Watcher) refuseCanary(why refusal) bool {
	w.rejected.Add(1)
	w.canary.refused = why
	w.o.Log.Error("canary rejected; keeping the current release", slog.Uint64("release", why.number), slog.String("error", why.reason))
	return true
}

// leaveCanary returns to the current release when no beat has announced the
// canary for a while.
func (w *Watcher) leaveCanary(now time.Time) {
	if w.canary.release == nil || now.Sub(w.canary.announced) < canaryTime {
		return
	}
	s, err := w.build(w.release, w.keys, nil)
	if err != nil {
		w.o.Log.Error("failed to return to the current release", slog.String("error", err.Error()))
		return
	}
	w.o.Current.Store(s)
	w.o.Log.Warn("the canary is no longer announced; returning to the current release", slog.Uint64("canary", w.canary.release.Number))
	w.canary.release = nil
	w.sendStatus()
}
