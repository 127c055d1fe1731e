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

// resends is when to send again what nobody commits.
type resends struct {
	low   uint64        // the lowest number without a commit
	since time.Time     // when it became that
	wait  time.Duration // how long it may be that
}

// recover goes on with what an earlier run has left in the spool.
func (m *Meter) recover() {
	m.seq = m.spool.Last()
	m.base = m.seq
	if low := m.spool.Low(); low != 0 {
		m.base = low - 1
		m.behind = m.spool.Reader(low)
		// JetStream may have had them, and their receipts may have come while
		// nobody listened: under the same name it would not take them.
		m.attempt = attempt(time.Now())
		m.log.Info("usage events of an earlier run are sent", slog.Uint64("from", low), slog.Uint64("to", m.seq))
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

// lose counts the event with the last number as lost. The spool is not to wait
// for its commit.
func (m *Meter) lose() {
	m.lost++
	if m.spool != nil {
		m.spool.Skip(m.seq)
	}
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
		from.Close()
		m.behind = nil
		// Only memory has events that wait. What the reader has not come across
		// was committed meanwhile: JetStream had it from an earlier run.
		m.acked = m.seq - m.base - m.lost
		for _, b := range m.queue {
			m.acked -= b.Last - b.First + 1
		}
	}
	return b, ok
}

func (m *Meter) next(from *spool.Reader) (Batch, bool) {
	first, last, lines, err := from.Next(batchEvents, batchBytes)
	if err != nil {
		m.log.Error("the spool cannot be read", slog.String("error", err.Error()))
	}
	return Batch{First: first, Last: last, Lines: lines, Attempt: m.attempt}, first != 0
}

// uncommitted waits for the commits of what has been sent, so that it is not
// sent again by the next start.
func (m *Meter) uncommitted(ctx context.Context) {
	const step = 10 * time.Millisecond
	for end := time.Now().Add(commitWait); m.spool != nil && m.spool.Low() != 0 && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(step):
		}
	}
}

// Committed takes in a receipt: what is committed need not be kept.
func (m *Meter) Committed(r *wire.Receipt) {
	if m.spool == nil {
		return
	}
	for _, span := range r.Ranges {
		if span.Epoch == m.spool.Epoch() {
			m.spool.Commit(span.First, span.Last)
		}
	}
}

// resendTick tells when to look for events that nobody commits.
func (m *Meter) resendTick() <-chan time.Time {
	if m.spool == nil {
		return nil
	}
	return time.After(resendEvery)
}

// Suspect says that JetStream may have lost events: NATS was away. What nobody
// has committed in a moment is sent again.
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
	if low != m.resends.low || low == 0 {
		wait := resendAfter
		if m.resends.wait == suspectWait && low != 0 {
			wait = suspectWait
		}
		m.resends = resends{low: low, since: now, wait: wait}
		return
	}
	if now.Sub(m.resends.since) < m.resends.wait || m.behind != nil || len(m.queue) > 0 {
		return
	}
	m.resends.since, m.resends.wait = now, min(2*m.resends.wait, resendMost)
	m.resentTo = m.seq
	m.attempt = attempt(now)
	m.behind = m.spool.Reader(low)
	m.log.Warn("usage events are not committed and are sent again", slog.Uint64("from", low))
}
