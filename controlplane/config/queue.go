package config

import (
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	defaultQueueSize = 100
	maxQueueSize     = 10_000
	defaultQueueWait = 5 * time.Second
	// maxQueueWait is the default of the nodes' REQUEST_DEADLINE_SECONDS, which
	// includes the wait.
	maxQueueWait = 15 * time.Minute
)

func queueKeys() []key[wire.Queue] {
	return []key[wire.Queue]{
		{"size", func(v value, q *wire.Queue) { v.integer(&q.Size, 1, maxQueueSize) }},
		{"wait", func(v value, q *wire.Queue) {
			wait := time.Duration(0)
			v.duration(&wait, time.Millisecond, maxQueueWait)
			q.WaitMS = wait.Milliseconds()
		}},
	}
}

func readQueue(v value, m *modelEntry) {
	q := wire.Queue{Size: defaultQueueSize, WaitMS: defaultQueueWait.Milliseconds()}
	if read(v, queueKeys(), &q) {
		m.Queue = &q
	}
}
