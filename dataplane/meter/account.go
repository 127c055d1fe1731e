package meter

import (
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/shared/wire"
)

// account is which events were issued, and what has become of them, by epoch:
// numbers, so that nothing counts twice. Those that are stored or dead letters
// were sent.
type account struct {
	issued, sent, stored, dead map[string]*spool.Ranges
	dropped                    []spool.Loss // without a spool
}

func newAccount() account {
	return account{
		issued: map[string]*spool.Ranges{}, sent: map[string]*spool.Ranges{}, stored: map[string]*spool.Ranges{}, dead: map[string]*spool.Ranges{},
	}
}

func add(to map[string]*spool.Ranges, epoch string, first, last uint64) {
	r := to[epoch]
	if r == nil {
		r = &spool.Ranges{}
		to[epoch] = r
	}
	r.Add(first, last)
}

func (a *account) issue(epoch string, first, last uint64) { add(a.issued, epoch, first, last) }

// send takes note that events are stored by JetStream, or already further. Those
// that an earlier run has answered for do not count.
func (a *account) send(epoch string, first, last uint64) {
	a.move(epoch, first, last, a.sent, nil)
}

// store takes note that events are in the database. A dead letter may come to
// that when it is replayed.
func (a *account) store(epoch string, first, last uint64) {
	a.send(epoch, first, last)
	a.move(epoch, first, last, a.stored, a.dead)
}

// deadLetter records that events are dead letters.
func (a *account) deadLetter(epoch string, first, last uint64) {
	a.send(epoch, first, last)
	a.move(epoch, first, last, a.dead, a.stored)
}

// move adds to one set, and removes from another, what was issued of a range.
func (a *account) move(epoch string, first, last uint64, to, from map[string]*spool.Ranges) {
	issued := a.issued[epoch]
	if issued == nil || first == 0 || first > last {
		return
	}
	for _, s := range issued.Within(first, last) {
		add(to, epoch, s.First, s.Last)
		if left := from[epoch]; left != nil {
			left.Remove(s.First, s.Last)
		}
	}
}

// drop takes note that an event is lost, without a spool.
func (a *account) drop(number uint64) {
	if n := len(a.dropped); n > 0 && a.dropped[n-1].Last+1 == number {
		a.dropped[n-1].Last = number
		return
	}
	a.dropped = append(a.dropped, spool.Loss{Time: time.Now().UTC(), First: number, Last: number})
}

// counts returns the balance. What is lost here, but was sent before, is not lost.
func (a *account) counts(lost []spool.Loss) (c wire.UsageCounts) {
	for _, r := range a.issued {
		c.Issued += r.Count()
	}
	for _, r := range a.sent {
		c.Acked += r.Count()
	}
	for _, r := range a.stored {
		c.Stored += r.Count()
	}
	for _, r := range a.dead {
		c.DeadLettered += r.Count()
	}
	for _, one := range lost {
		gone := spool.Ranges{{First: one.First, Last: one.Last}}
		if sent := a.sent[one.Epoch]; sent != nil {
			gone = gone.Without(*sent)
		}
		c.Lost += gone.Count()
	}
	c.Pending = c.Issued - c.Acked - c.Lost
	return c
}

// lossNote says which events are lost, for /health.
func lossNote(lost []spool.Loss) string {
	const shown = 10
	var n uint64
	var b strings.Builder
	for i, one := range lost {
		n += one.Last - one.First + 1
		if i < shown {
			fmt.Fprintf(&b, ", %d-%d of epoch %q at %s", one.First, one.Last, one.Epoch, one.Time.Format(time.RFC3339))
		}
	}
	if more := len(lost) - shown; more > 0 {
		fmt.Fprintf(&b, " and %d more ranges", more)
	}
	return fmt.Sprintf("%d usage events were lost: %s", n, strings.TrimPrefix(b.String(), ", "))
}
