package watch

import (
	"log/slog"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// sendStatus reports to the control plane what this node serves.
func (w *Watcher) sendStatus() { w.send(wire.NodeStatus{}) }

// sayGoodbye reports that the node has stopped.
func (w *Watcher) sayGoodbye() { w.send(wire.NodeStatus{Stopped: true}) }

// send completes a status and publishes it.
func (w *Watcher) send(s wire.NodeStatus) {
	if !w.o.Conn.IsConnected() {
		return
	}
	s.Time, s.Offered, s.State, s.Source = time.Now().UnixMilli(), w.offered, wire.StateNone, w.source
	s.Epoch, s.Release = w.position()
	switch {
	case w.refused.number != 0:
		s.State, s.Reason, s.RejectedHash = wire.StateRejected, w.refused.reason, w.refused.hash
	case w.release != nil:
		s.State = wire.StateApplied
	}
	if w.keys != nil {
		s.Keys = w.keys.Version
	}
	s.Missing = w.o.Current.Load().Missing
	s.Counts = w.counts(time.Now())
	s.Canary = w.canary.status()
	w.o.Status(&s)
	b, err := s.Encode()
	if err != nil {
		w.o.Log.Error("failed to encode the status", slog.String("error", err.Error()))
		return
	}
	if err := w.o.Conn.Publish(wire.NodeStatusPrefix+s.Node, b); err != nil {
		w.o.Log.Debug("failed to send the status", slog.String("error", err.Error()))
	}
}

// Control is what GET /health says of the connection to the control plane.
type Control struct {
	NATS string `json:"nats"`
	// BeatAgeMS is the age of the control plane's last beat, -1 if none came yet.
	BeatAgeMS int64  `json:"beat_age_ms"`
	Source    string `json:"release_source"`
	// KeysAgeMS is how long ago the key table was known to be the current one,
	// -1 for never: keys that were revoked since still work here.
	KeysAgeMS int64 `json:"key_table_age_ms"`
}

// Applied is when the release in service was applied, in milliseconds since
// 1970; 0 without one.
func (w *Watcher) Applied() int64 { return w.applied.Load() }

// Rejected is how many documents have been refused.
func (w *Watcher) Rejected() uint64 { return w.rejected.Load() }

// Notes says what is wrong with the documents: they cannot be stored, or those
// in NATS are not signed by a trusted key.
func (w *Watcher) Notes() (notes []string) {
	if why := w.diskTrouble.Load(); why != nil {
		notes = append(notes, "the current release is not on disk: "+*why)
	}
	for _, key := range []string{wire.ReleaseKey, wire.KeyTableKey, wire.CanaryKey} {
		if text := w.mistrust[key].Load(); text != nil {
			notes = append(notes, "a document was rejected: "+*text)
		}
	}
	return notes
}

// Control reports the state of the connection to the control plane, and what is
// wrong with it.
func (w *Watcher) Control() (Control, []string) {
	c := Control{NATS: "connected", BeatAgeMS: -1, Source: wire.SourceNATS, KeysAgeMS: -1}
	if w.fromDisk.Load() {
		c.Source = wire.SourceDisk
	}
	if sure := w.keysSure.Load(); sure > 0 {
		c.KeysAgeMS = time.Now().UnixMilli() - sure
	}
	if last := w.lastBeat.Load(); last > 0 {
		c.BeatAgeMS = time.Now().UnixMilli() - last
	}
	var notes []string
	if !w.o.Conn.IsConnected() {
		c.NATS = "disconnected"
		notes = append(notes, "NATS is unreachable; serving the last good release, usage events are buffered")
	} else if c.BeatAgeMS < 0 || c.BeatAgeMS > quietBeat.Milliseconds() {
		notes = append(notes, "no heartbeat from the control plane; changes to routing and keys do not arrive")
	}
	if len(notes) > 0 && c.KeysAgeMS > quietBeat.Milliseconds() {
		age := time.Duration(c.KeysAgeMS) * time.Millisecond
		notes = append(notes, "the key table is "+age.Round(time.Second).String()+" old: keys revoked since then still work here")
	}
	return c, notes
}
