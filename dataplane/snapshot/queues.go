package snapshot

import (
	"time"

	"github.com/hybridinference/gateway/dataplane/queue"
	"github.com/hybridinference/gateway/shared/wire"
)

// queue returns the queue of a model, the same as long as there is the model;
// nil if its requests do not wait.
func (b *Builder) queue(w *wire.Model) *queue.Queue {
	if w.Queue == nil {
		return nil
	}
	if b.queues == nil {
		b.queues = map[string]*queue.Queue{}
	}
	q := b.queues[w.ID]
	if q == nil {
		q = &queue.Queue{}
		b.queues[w.ID] = q
	}
	return q
}

// configureQueues has the queues hand out the places of a snapshot. Those who
// wait for a model that is gone are refused; those of a model that has lost its
// queue wait on, and no one joins them.
func (b *Builder) configureQueues(models []*Model) {
	kept := make(map[string]*queue.Queue, len(b.queues))
	for _, m := range models {
		q := b.queues[m.ID]
		if q == nil {
			continue
		}
		kept[m.ID] = q
		m.Metrics.WatchQueue(q.Waiting)
		size, wait := 0, time.Duration(0)
		if m.Model.Queue != nil {
			size, wait = m.Model.Queue.Size, time.Duration(m.Model.Queue.WaitMS)*time.Millisecond
		}
		seats := make([]queue.Seat, 0, len(m.Endpoints))
		for _, e := range m.Endpoints {
			seats = append(seats, queue.Seat{State: e.State, MaxConcurrency: e.MaxConcurrency, Limits: e.Limits})
		}
		q.Configure(size, wait, seats)
	}
	for id, q := range b.queues {
		if kept[id] == nil {
			q.Close(queue.Removed)
		}
	}
	b.queues = kept
}
