package watch

import (
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// watchTime is for how long a beat asks for counts: daemons that do not know
	// of a rollout yet leave it out of theirs.
	watchTime = 15 * time.Second
	// maxCounts bounds the heartbeat.
	maxCounts = 500
)

// watch notes the models that a beat asks for.
func (w *Watcher) watch(models []string, now time.Time) {
	for _, id := range models {
		if w.watched == nil {
			w.watched = map[string]time.Time{}
		}
		w.watched[id] = now.Add(watchTime)
	}
}

// counts are the totals of the endpoints of watched models.
func (w *Watcher) counts(now time.Time) (list []wire.EndpointCounts) {
	for id, until := range w.watched {
		if now.After(until) {
			delete(w.watched, id)
		}
	}
	if len(w.watched) == 0 {
		return nil
	}
	for _, m := range w.o.Current.Load().Models {
		if _, ok := w.watched[m.ID]; !ok || len(list) > maxCounts {
			continue
		}
		for _, endpoints := range [][]*snapshot.Endpoint{m.Endpoints, m.Parked} {
			for _, e := range endpoints {
				counts := e.State.Counts.Totals(e.ID)
				counts.Down = e.State.Down(now)
				list = append(list, counts)
			}
		}
	}
	return list
}
