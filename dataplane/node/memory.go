package node

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// memoryEvery is how often memory looks, and calmLooks how many of its looks in a
	// row a burst has to be over for.
	memoryEvery = 5 * time.Second
	calmLooks   = 3
	// memorySpare is what is not worth a garbage collection.
	memorySpare = 8 << 20
)

// memory gives what a burst of requests has taken back to the system when it is
// over. Go by itself runs no collection while nothing is allocated, for up to two
// minutes, and keeps the pages for longer.
type memory struct {
	inFlight func() int64
	used     func() uint64 // in bytes
	free     func()

	peak  int64  // of the requests in flight, since memory was freed
	calm  int    // looks in a row with less than half of that
	least uint64 // that was used right after memory was freed
}

func (m *memory) run(ctx context.Context) {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.look()
		}
	}
}

func (m *memory) look() {
	now := m.inFlight()
	m.peak = max(m.peak, now)
	if now > m.peak/2 {
		m.calm = 0
		return
	}
	if m.calm++; m.calm < calmLooks {
		return
	}
	m.calm = 0
	if m.used() <= m.least+m.least/8+memorySpare {
		return
	}
	m.free()
	m.least, m.peak = m.used(), now
}

// freeMemory takes two collections: the first leaves what is in pools.
func freeMemory() {
	runtime.GC()
	debug.FreeOSMemory()
}

// usedMemory is what Go has of the system and has not given back.
func usedMemory() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64()
}
