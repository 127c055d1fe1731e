package node

import (
	"runtime"
	"testing"
)

// TestMemoryIsFreedAfterABurst and not during one, nor when it would give little.
func TestMemoryIsFreedAfterABurst(t *testing.T) {
	const mb = 1 << 20
	inFlight, used, freed := int64(0), uint64(20*mb), 0
	m := memory{
		inFlight: func() int64 { return inFlight },
		used:     func() uint64 { return used },
		free:     func() { freed, used = freed+1, 20*mb },
		least:    20 * mb,
	}
	looks := func(what string, requests int64, bytes uint64, n, want int) {
		t.Helper()
		inFlight, used = requests, bytes
		for range n {
			m.look()
		}
		if freed != want {
			t.Fatalf("%s: freed %d times instead of %d", what, freed, want)
		}
	}
	looks("idle", 0, 20*mb, 10, 0)
	looks("a burst", 5000, 400*mb, 10, 0)
	looks("it ebbs away", 3000, 400*mb, 10, 0)
	looks("hardly over", 10, 400*mb, calmLooks-1, 0)
	looks("it goes on", 5000, 400*mb, 1, 0)
	looks("over", 10, 400*mb, calmLooks, 1)
	looks("idle again", 0, 25*mb, 10, 1)
	looks("a load that stays", 100, 400*mb, 10, 1)
	looks("over again", 0, 400*mb, 10, 2)
}

func TestFreedMemoryIsTheSystemsAgain(t *testing.T) {
	const size = 64 << 20
	before := usedMemory()
	burst := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		burst[i] = 1
	}
	if used := usedMemory(); used < before+size/2 {
		t.Fatalf("%d bytes are used after a burst, %d before", used, before)
	}
	runtime.KeepAlive(burst)
	freeMemory()
	if used := usedMemory(); used > before+size/2 {
		t.Errorf("%d bytes are used after all was freed, %d before", used, before)
	}
}
