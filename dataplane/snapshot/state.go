package snapshot

import "sync/atomic"

// State is what a node has learnt of an endpoint. It is shared by all
// requests and updated without locks.
type State struct {
	InFlight atomic.Int64
	// Requests and Failures count attempts since the process started.
	Requests, Failures atomic.Uint64
	nextKey            atomic.Uint64
}

// NextKey picks one of n secrets, in turn.
func (s *State) NextKey(n int) int {
	if n <= 1 {
		return 0
	}
	return int(s.nextKey.Add(1) % uint64(n)) //nolint:gosec // below n
}
