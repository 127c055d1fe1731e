package gateway_test

import "testing"

// allocations is what a request to a node allocates, with its client and its
// upstream.
func (n *benchNode) allocations() float64 {
	n.tb.Helper()
	for range 20 { // pools fill
		n.once(1)
	}
	return testing.AllocsPerRun(50, func() { n.once(1) })
}

// TestAllocations pins what a small request allocates, and that it is the same
// whatever the node knows. The race detector takes a part of what is in pools.
func TestAllocations(t *testing.T) {
	most := 4.0
	if raceDetector {
		most = 40
	}
	for _, size := range []struct{ models, keys int }{{5, 5}, {1000, 10_000}} {
		n := newBenchNode(t, "vllm", size.models, size.keys)
		n.ask(benchPath, benchRequest, benchAnswer())
		if got := n.allocations(); got > most {
			t.Errorf("%d models, %d keys: %v allocations, more than %v", size.models, size.keys, got, most)
		}
	}
}

// TestChunksDoNotAllocate holds for each client language and kind of endpoint.
func TestChunksDoNotAllocate(t *testing.T) {
	const few, many = 10, 410
	for _, c := range streamCases() {
		t.Run(c.name, func(t *testing.T) {
			n := newBenchNode(t, c.kind, 1, 1)
			n.ask(c.path, c.body, c.answer(few))
			before := n.allocations()
			n.ask(c.path, c.body, c.answer(many))
			// Larger buffers, and under the race detector lost ones, are not of a chunk.
			if each := (n.allocations() - before) / (many - few); each > 0.1 {
				t.Errorf("%v allocations for each chunk", each)
			}
		})
	}
}
