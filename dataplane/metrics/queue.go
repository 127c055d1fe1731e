package metrics

import (
	"time"

	"github.com/hybridinference/gateway/shared/exposition"
)

// WatchQueue has the number of requests that wait shown.
func (m *Model) WatchQueue(waiting func() int64) { m.waiting.Store(&waiting) }

// Queued counts a request that has waited for a place.
func (m *Model) Queued(d time.Duration) { m.queued.observe(&queuedBounds, d) }

// writeQueues writes how many requests wait in each model's queue.
func writeQueues(w *exposition.Writer, models []*Model) {
	w.Family(exposition.Gauge, "gateway_queue_waiting", "Requests that wait for a place at an endpoint, of models with a queue.")
	for _, m := range models {
		if waiting := m.waiting.Load(); waiting != nil {
			w.Sample(&m.labels, nil, float64((*waiting)()))
		}
	}
}
