package meter

import (
	"context"
	"log/slog"
	"time"

	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// resendAfter is how long a stored event may wait for its commit before it
	// is sent once more; each further time it is twice as long, up to resendMost.
	// JetStream may have lost it, or the database may be down.
	resendAfter = time.Minute
	resendMost  = 10 * time.Minute
	resendEvery = 5 * time.Second
	// suspectWait takes the place of resendAfter when NATS comes back.
	suspectWait = 5 * time.Second
	// commitWait is how long a stop waits for the last commits.
	commitWait = time.Second
)

// resends is when to send again what has no commit.
type resends struct {
	low   spool.Position // the oldest event without a commit
	since time.Time      // when it became that
	wait  time.Duration  // how long it may be that
}

// recover continues with what an earlier run has left in the spool. JetStream may
// have had it, and its receipts may have come while there was no process to
// hear them: under the same name JetStream would not take it again.
func (m *Meter) recover() {
	m.seq, m.attempt = m.spool.Last(), attempt(time.Now())
	for _, one := range m.spool.Lost() {
		m.account.issue(one.Epoch, one.First, one.Last)
	}
	for epoch, left := range m.spool.Pending() {
		for _, span := range left {
			m.account.issue(epoch, span.First, span.Last)
		}
		if n := left.Count(); n > 0 {
			m.behind = m.spool.Reader()
			m.log.Info("sending usage events of an earlier run", slog.String("epoch", epoch), slog.Uint64("events", n), slog.Uint64("from", left.Lowest()), slog.Uint64("to", left.Highest()))
		}
	}
}

// attempt names a further sending, and never two alike, whoever has restarted
// in between.
func attempt(now time.Time) int { return int(now.Unix()) }

// keep writes a line to the spool; false if it is not there. Only the change
// is logged: the next million requests would say the same.
func (m *Meter) keep(line []byte) bool {
	if m.spool == nil {
		return false
	}
	err := m.spool.Append(m.seq, line)
	switch {
	case err != nil && m.broken == "":
		m.broken = err.Error()
		m.log.Error("usage events are kept in memory only", slog.String("error", m.broken))
	case err == nil && m.broken != "":
		m.broken = ""
		m.log.Info("usage events are kept in the spool again")
	}
	return err == nil
}

// flush waits until an event is on the disk, if the spool is to do that.
func (m *Meter) flush(number uint64) {
	err := m.spool.Flush(number)
	if err == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == "" {
		m.broken = err.Error()
		m.log.Error("usage events cannot be written to the disk", slog.String("error", m.broken))
	}
}

// lose counts the event with the last number as lost.
func (m *Meter) lose() {
	if m.spool == nil {
		m.account.drop(m.seq)
		return
	}
	m.spool.Lose(m.seq)
}

// losses are the events that are lost, by the spool, or without one by memory.
func (m *Meter) losses() []spool.Loss {
	if m.spool == nil {
		return m.account.dropped
	}
	return m.spool.Lost()
}

// epoch names the numbers of new events.
func (m *Meter) epoch() string {
	if m.spool == nil {
		return ""
	}
	return m.spool.Epoch()
}

// catchUp reads a batch from the spool. When there is nothing more, memory has
// everything again: that has to be found out while nothing can be added.
func (m *Meter) catchUp(from *spool.Reader) (Batch, bool) {
	if b, ok := m.next(from); ok {
		return b, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.next(from)
	if !ok {
		m.behind = nil
	}
	return b, ok
}

func (m *Meter) next(from *spool.Reader) (Batch, bool) {
	b, err := from.Next(batchEvents, batchBytes)
	if err != nil {
		m.log.Error("failed to read the spool", slog.String("error", err.Error()))
	}
	return Batch{Epoch: b.Epoch, First: b.First, Last: b.Last, Lines: b.Lines, Attempt: m.attempt}, b.First != 0
}

// uncommitted waits for the commits of what has been sent, so that it is not
// sent again by the next start.
func (m *Meter) uncommitted(ctx context.Context) {
	const step = 10 * time.Millisecond
	for end := time.Now().Add(commitWait); m.spool != nil && m.spool.Low() != (spool.Position{}) && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(step):
		}
	}
}

// Committed takes in a receipt: what the collector has committed, or made a dead
// letter of, need not be kept.
func (m *Meter) Committed(r *wire.Receipt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, span := range r.Ranges {
		if m.spool != nil {
			m.spool.Commit(span.Epoch, span.First, span.Last)
		}
		m.account.store(span.Epoch, span.First, span.Last)
	}
	for _, span := range r.Dead {
		m.account.deadLetter(span.Epoch, span.First, span.Last)
	}
}

// resendTick fires when to check for uncommitted events.
func (m *Meter) resendTick() <-chan time.Time {
	if m.spool == nil {
		return nil
	}
	return time.After(resendEvery)
}

// Suspect says that JetStream may have lost events: NATS was away. What is
// not committed soon is sent again.
func (m *Meter) Suspect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resends.wait = suspectWait
}

// resend reads the spool again if its oldest event has waited for too long.
func (m *Meter) resend(now time.Time) {
	low := m.spool.Low()
	m.mu.Lock()
	defer m.mu.Unlock()
	if none := (spool.Position{}); low != m.resends.low || low == none {
		wait := resendAfter
		if m.resends.wait == suspectWait && low != none {
			wait = suspectWait
		}
		m.resends = resends{low: low, since: now, wait: wait}
		return
	}
	if now.Sub(m.resends.since) < m.resends.wait || m.behind != nil || len(m.queue) > 0 {
		return
	}
	m.resends.since, m.resends.wait = now, min(2*m.resends.wait, resendMost)
	m.attempt = attempt(now)
	m.behind = m.spool.Reader()
	m.log.Warn("usage events are not committed; resending", slog.String("epoch", low.Epoch), slog.Uint64("from", low.Number))
}
