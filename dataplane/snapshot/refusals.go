package snapshot

import (
	"sync/atomic"
	"time"
)

// maxRefusals is how many refusals of a key are recorded in a minute.
const maxRefusals = 60

// Refusals counts the requests of a key that limits have refused in the current
// minute.
type Refusals struct {
	minute atomic.Int64 // since 1970
	count  atomic.Int64
}

// Note counts a refusal and reports whether it is one of the minute's first 60.
func (r *Refusals) Note(now time.Time) bool {
	minute := now.Unix() / 60
	if before := r.minute.Load(); before < minute && r.minute.CompareAndSwap(before, minute) {
		r.count.Store(0)
	}
	return r.count.Add(1) <= maxRefusals
}
