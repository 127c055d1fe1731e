// Package meter takes in one usage event for each request and sees to it that
// they reach JetStream. A request never waits for it: Add is one copy into
// memory, whatever has become of NATS.
package meter

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// A batch is sent when it has batchEvents or batchBytes, or linger after its
	// first event; while the one before it is under way it grows on.
	batchEvents = 250
	batchBytes  = 256 << 10
	linger      = 25 * time.Millisecond
	// retryMin and retryMax bound the pause after a failed send.
	retryMin = 50 * time.Millisecond
	retryMax = 2 * time.Second
	// DefaultLimit is how many bytes of events are kept while NATS is away:
	// about 100,000 events.
	DefaultLimit = 64 << 20
)

// Batch is a run of events with consecutive sequence numbers.
type Batch struct {
	First, Last uint64
	// Lines are the events, one JSON document a line.
	Lines []byte

	sealed bool // being sent: it must not grow
}

// full reports whether the batch takes no further event.
func (b *Batch) full() bool {
	return b.sealed || b.Last-b.First+1 >= batchEvents || len(b.Lines) >= batchBytes
}

// Meter queues events. Its methods may be called concurrently.
type Meter struct {
	log   *slog.Logger
	limit int
	wake  chan struct{}
	lines sync.Pool

	mu      sync.Mutex
	queue   []*Batch // oldest first; the last one is being filled
	bytes   int
	seq     uint64
	acked   uint64
	lost    uint64
	failing string // why the last send failed, "" if it did not
}

// New returns a meter that keeps up to limit bytes of unsent events.
func New(limit int, log *slog.Logger) *Meter {
	m := &Meter{log: log, limit: limit, wake: make(chan struct{}, 1)}
	m.lines.New = func() any { b := make([]byte, 0, 2048); return &b }
	return m
}

// Add takes in an event. What it points to may be reused when Add returns.
func (m *Meter) Add(u *wire.Usage) {
	line := m.lines.Get().(*[]byte) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	*line = append(u.Append((*line)[:0]), '\n')
	if m.add(*line) {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
	m.lines.Put(line)
}

// add appends a line to the queue; true if a sender may be waiting for it.
func (m *Meter) add(line []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	if m.bytes+len(line) > m.limit {
		m.lost++
		return false
	}
	m.bytes += len(line)
	if n := len(m.queue); n > 0 {
		if last := m.queue[n-1]; !last.full() && last.Last == m.seq-1 {
			last.Lines = append(last.Lines, line...)
			last.Last = m.seq
			return last.full()
		}
	}
	m.queue = append(m.queue, &Batch{First: m.seq, Last: m.seq, Lines: append(make([]byte, 0, 8<<10), line...)})
	return true
}

// Run sends batches until ctx is done, then what is left for as long as grace.
// send returns when the batch is stored, or an error: then the same batch is
// sent again, so the receiver must know it by its numbers.
func (m *Meter) Run(ctx context.Context, grace time.Duration, send func(context.Context, Batch) error) error {
	for m.await(ctx) {
		m.sendOldest(ctx, send)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	for m.Counts().Pending > 0 && last.Err() == nil {
		m.sendOldest(last, send)
	}
	if c := m.Counts(); c.Pending > 0 {
		return fmt.Errorf("%d usage events could not be handed over within %s and are lost", c.Pending, grace)
	}
	return nil
}

// await blocks until there is a batch to send; false when ctx is done.
func (m *Meter) await(ctx context.Context) bool {
	for {
		m.mu.Lock()
		n := len(m.queue)
		ready := n > 1 || n == 1 && m.queue[0].full()
		m.mu.Unlock()
		if ready {
			return ctx.Err() == nil
		}
		var patience <-chan time.Time
		if n == 1 {
			patience = time.After(linger)
		}
		select {
		case <-ctx.Done():
			return false
		case <-m.wake:
		case <-patience:
			return true
		}
	}
}

// sendOldest sends the oldest batch until it is stored or ctx is done.
func (m *Meter) sendOldest(ctx context.Context, send func(context.Context, Batch) error) {
	b := m.seal()
	for pause := retryMin; ; pause = min(2*pause, retryMax) {
		err := send(ctx, b)
		m.report(err)
		if err == nil {
			m.release(b)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// seal closes the oldest batch, so that it does not grow while it is sent.
func (m *Meter) seal() Batch {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue[0].sealed = true
	return *m.queue[0]
}

func (m *Meter) release(b Batch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = m.queue[1:]
	m.bytes -= len(b.Lines)
	m.acked += b.Last - b.First + 1
}

// report logs a change between working and failing, once.
func (m *Meter) report(err error) {
	m.mu.Lock()
	before := m.failing
	m.failing = ""
	if err != nil {
		m.failing = err.Error()
	}
	m.mu.Unlock()
	switch {
	case err != nil && before == "":
		m.log.Warn("usage events cannot be sent, they are kept", slog.String("error", err.Error()))
	case err == nil && before != "":
		m.log.Info("usage events are being sent again")
	}
}

// Counts returns the balance: issued = acked + pending + lost.
func (m *Meter) Counts() wire.UsageCounts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return wire.UsageCounts{Issued: m.seq, Acked: m.acked, Lost: m.lost, Pending: m.seq - m.acked - m.lost}
}

// Notes says what is wrong, for /health.
func (m *Meter) Notes() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var notes []string
	if m.failing != "" {
		notes = append(notes, "usage events wait: "+m.failing)
	}
	if m.lost > 0 {
		notes = append(notes, fmt.Sprintf("%d usage events were lost: more than %d bytes were waiting", m.lost, m.limit))
	}
	return notes
}
