package gateway

import (
	"bytes"
	"hash/maphash"
	"sync"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	recentBuckets = 2048
	recentWays    = 8
	// recentLargest bounds what is kept of one event.
	recentLargest = 16 << 10
)

// recent keeps the usage events of the last generations, so that GET
// generation has its answer at once: some 16,000, of about a kilobyte each. A
// request pays for one copy and an uncontended lock.
type recent struct {
	seed    maphash.Seed
	buckets [recentBuckets]bucket
}

// bucket holds the generations whose ids hash to it; the oldest goes first.
type bucket struct {
	mu      sync.Mutex
	next    int
	entries [recentWays]entry
}

type entry struct {
	id   string
	line []byte // the event as it is sent to the collector
}

func newRecent() *recent { return &recent{seed: maphash.MakeSeed()} }

func (r *recent) bucket(id string) *bucket {
	return &r.buckets[maphash.String(r.seed, id)%recentBuckets]
}

// add keeps an event. The bytes may be reused afterwards.
func (r *recent) add(id string, line []byte) {
	if len(line) > recentLargest {
		return
	}
	b := r.bucket(id)
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &b.entries[b.next]
	b.next = (b.next + 1) % recentWays
	e.id, e.line = id, append(e.line[:0], line...)
}

// line returns the event of a generation as it is sent to the collector, nil
// if it is not known any more.
func (r *recent) line(id string) []byte {
	b := r.bucket(id)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.entries {
		if e := &b.entries[i]; id != "" && e.id == id {
			return bytes.Clone(e.line)
		}
	}
	return nil
}

// find returns the event of a generation, nil if it is not known any more.
func (r *recent) find(id string) *wire.Usage {
	line := r.line(id)
	if line == nil {
		return nil
	}
	u, err := wire.DecodeUsage(line)
	if err != nil {
		return nil
	}
	return u
}
