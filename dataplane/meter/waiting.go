package meter

import (
	"slices"
	"time"

	"github.com/hybridinference/gateway/dataplane/spool"
)

// sightings are when which event was the last one. They are taken when someone
// asks how old the oldest is, so that requests need not look at the clock.
type sightings struct {
	started time.Time
	list    []sighting
}

type sighting struct {
	at   time.Time
	last uint64
}

// most bounds the list: days of a scrape each 15 seconds. Beyond it every second one goes.
const most = 8192

// Waiting returns for how long the oldest event that is not known to be stored, or
// without a spool not sent, has been there at least: since the first of the calls
// that has seen it, or since the start if it is of an earlier run. It is 0 if there is none.
func (m *Meter) Waiting(now time.Time) time.Duration {
	oldest := spool.Position{Epoch: m.epoch()}
	if m.spool != nil {
		oldest = m.spool.Low()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spool == nil && len(m.queue) > 0 {
		oldest.Number = m.queue[0].First
	}
	s := &m.seen
	s.list = append(s.list, sighting{now, m.seq})
	switch {
	case oldest.Number == 0:
		s.list = s.list[:0]
		return 0
	case oldest.Epoch != m.epoch():
		return now.Sub(s.started)
	}
	s.list = slices.DeleteFunc(s.list, func(one sighting) bool { return one.last < oldest.Number })
	if len(s.list) > most {
		for i := range most / 2 {
			s.list[i] = s.list[2*i]
		}
		s.list = append(s.list[:most/2], s.list[most:]...)
	}
	return now.Sub(s.list[0].at)
}
