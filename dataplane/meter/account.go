package meter

import (
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/shared/wire"
)

// account is which events were issued, and which of them were stored by
// JetStream, by epoch: numbers, so that nothing counts twice.
type account struct {
	issued, sent map[string]*spool.Ranges
	dropped      []spool.Loss // without a spool
}

func newAccount() account {
	return account{issued: map[string]*spool.Ranges{}, sent: map[string]*spool.Ranges{}}
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
	issued := a.issued[epoch]
	if issued == nil {
		return
	}
	for _, s := range issued.Within(first, last) {
		add(a.sent, epoch, s.First, s.Last)
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
