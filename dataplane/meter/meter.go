// Package meter takes in one usage event for each request and sees to it that
// they reach JetStream. A request never waits for it: Add is one copy into
// memory and, where there is a spool, one write to a file, whatever has become
// of NATS. What is in the spool is sent until the collector has committed it.
package meter

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// A batch is sent when it has batchEvents or batchBytes, or linger after its
	// first event; while the one before it is under way it grows on.
	batchEvents = 250
	batchBytes  = 256 << 10
	linger      = 25 * time.Millisecond
	// keepBuffers is how many buffers are kept for batches to come.
	keepBuffers = 4
	// retryMin and retryMax bound the pause after a failed send.
	retryMin = 50 * time.Millisecond
	retryMax = 2 * time.Second
	// DefaultLimit is how many bytes of events are kept while NATS is away:
	// about 100,000 events.
	DefaultLimit = 64 << 20
)

// Batch is a run of events with consecutive sequence numbers.
type Batch struct {
	// Epoch names the numbers, "" without a spool.
	Epoch       string
	First, Last uint64
	// Attempt distinguishes copies of a batch that JetStream must not deduplicate.
	// With a spool each start of the process has another.
	Attempt int
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
	spool *spool.Spool // nil without one

	mu      sync.Mutex
	queue   []*Batch // oldest first; the last one is being filled
	bytes   int
	free    [][]byte // buffers of batches that were sent
	seq     uint64
	account account
	failing string // why the last send failed, "" if it did not
	// behind reads from the spool what memory does not have; nil if it has all.
	behind  *spool.Reader
	attempt int
	broken  string // why the spool takes no events, "" if it does
	resends resends
	seen    sightings
}

// New returns a meter that keeps up to limit bytes of unsent events in memory,
// and all in the spool, which may be nil. What the spool holds from an earlier
// run is sent first.
func New(limit int, kept *spool.Spool, log *slog.Logger) *Meter {
	m := &Meter{log: log, limit: limit, wake: make(chan struct{}, 1), spool: kept, account: newAccount(), seen: sightings{started: time.Now()}}
	if kept != nil {
		m.recover()
	}
	return m
}

// Add takes in an event: its JSON, with a line end. The bytes may be reused when
// Add returns.
func (m *Meter) Add(line []byte) {
	number, wake := m.add(line)
	if wake {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
	if m.spool != nil {
		m.flush(number)
	}
}

// add keeps a line under the next number; wake if a sender may be waiting for it.
func (m *Meter) add(line []byte) (number uint64, wake bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	m.account.issue(m.epoch(), m.seq, m.seq)
	kept := m.keep(line)
	switch {
	case kept && m.behind != nil: // it comes from there, in its turn
	case kept && m.bytes+len(line) > m.limit:
		m.behind = m.spool.ReaderFrom(m.seq)
	case m.bytes+len(line) > m.limit:
		m.lose()
		return m.seq, false
	default:
		return m.seq, m.enqueue(line)
	}
	return m.seq, true
}

// enqueue appends the line with the last number to the queue.
func (m *Meter) enqueue(line []byte) bool {
	m.bytes += len(line)
	if n := len(m.queue); n > 0 {
		if last := m.queue[n-1]; !last.full() && last.Last == m.seq-1 {
			last.Lines = append(last.Lines, line...)
			last.Last = m.seq
			return last.full()
		}
	}
	m.queue = append(m.queue, &Batch{Epoch: m.epoch(), First: m.seq, Last: m.seq, Attempt: m.attempt, Lines: append(m.buffer(), line...)})
	return true
}

// buffer returns room for the lines of a batch: that of one which was sent, if
// there is any, since growing it anew costs more than all else here.
func (m *Meter) buffer() []byte {
	n := len(m.free)
	if n == 0 {
		return make([]byte, 0, 8<<10)
	}
	b := m.free[n-1]
	m.free = m.free[:n-1]
	return b
}

// Run sends batches until ctx is done, then what is left for as long as grace.
// send returns when the batch is stored, or an error: then the same batch is
// sent again, so the receiver must know it by its numbers. It must not keep the
// batch's lines.
func (m *Meter) Run(ctx context.Context, grace time.Duration, send func(context.Context, Batch) error) error {
	for m.await(ctx) {
		m.sendOldest(ctx, send)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	for m.Counts().Pending > 0 && last.Err() == nil {
		m.sendOldest(last, send)
	}
	m.uncommitted(last)
	if c := m.Counts(); c.Pending > 0 && m.spool == nil {
		return fmt.Errorf("%d usage events could not be delivered within %s and are lost", c.Pending, grace)
	}
	return nil
}

// await blocks until there is a batch to send; false when ctx is done.
func (m *Meter) await(ctx context.Context) bool {
	for {
		m.mu.Lock()
		n := len(m.queue)
		ready := n > 1 || n == 1 && m.queue[0].full() || n == 0 && m.behind != nil
		m.mu.Unlock()
		if ready {
			return ctx.Err() == nil
		}
		var due <-chan time.Time
		if n == 1 {
			due = time.After(linger)
		}
		select {
		case <-ctx.Done():
			return false
		case <-m.wake:
		case <-due:
			return true
		case <-m.resendTick():
			m.resend(time.Now())
		}
	}
}

// sendOldest sends the oldest batch until it is stored or ctx is done.
func (m *Meter) sendOldest(ctx context.Context, send func(context.Context, Batch) error) {
	b, ok := m.oldest()
	if !ok {
		return
	}
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

// oldest returns the batch to send: from memory, closed, so that it does not
// grow while it is sent, or from the spool; false if there is none there.
func (m *Meter) oldest() (Batch, bool) {
	m.mu.Lock()
	behind := m.behind
	if len(m.queue) > 0 {
		defer m.mu.Unlock()
		m.queue[0].sealed = true
		return *m.queue[0], true
	}
	m.mu.Unlock()
	if behind == nil {
		return Batch{}, false
	}
	return m.catchUp(behind)
}

func (m *Meter) release(b Batch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b.sealed {
		m.queue = m.queue[1:]
		m.bytes -= len(b.Lines)
		if len(m.free) < keepBuffers {
			m.free = append(m.free, b.Lines[:0])
		}
	}
	m.account.send(b.Epoch, b.First, b.Last)
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
		m.log.Warn("failed to send usage events; they are buffered", slog.String("error", err.Error()))
	case err == nil && before != "":
		m.log.Info("usage events are being sent again")
	}
}

// Counts returns the balance. What an earlier
// run has left in the spool, or has lost within the last days, counts as issued
// by this one.
func (m *Meter) Counts() wire.UsageCounts {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.account.counts(m.losses())
	if m.spool != nil {
		c.Spooled = m.spool.Bytes()
	}
	return c
}

// Storage says why the spool takes no events, "" if it does.
func (m *Meter) Storage() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == "" {
		return ""
	}
	return "usage events are kept in memory only: " + m.broken
}

// Notes says what else is wrong, for /health.
func (m *Meter) Notes() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var notes []string
	if m.failing != "" {
		notes = append(notes, "usage events are buffered: "+m.failing)
	}
	if lost := m.losses(); len(lost) > 0 {
		notes = append(notes, lossNote(lost))
	}
	return notes
}
