package upstream

import "time"

// Load is what a server says of itself, from whatever gateways it is used.
type Load struct {
	// Running and Waiting count its requests: those that it works on, and its queue.
	Running, Waiting float64
	// Cache is the used part of the memory for prompts and answers, from 0 to 1.
	Cache float64
}

// cacheFull is the use of a server's memory above which requests wait for it soon.
const cacheFull = 0.95

// Overloaded reports whether further requests would wait in the server.
func (l Load) Overloaded() bool { return l.Waiting > 0 || l.Cache >= cacheFull }

// loadReport is a load and how long it counts.
type loadReport struct {
	Load
	until time.Time
}

// SetLoad takes in what the server says of its load, which counts until then.
func (s *State) SetLoad(l Load, until time.Time) { s.load.Store(&loadReport{l, until}) }

// ServerLoad is what the server last said of its load; false if it is unknown or too old.
func (s *State) ServerLoad(now time.Time) (Load, bool) {
	r := s.load.Load()
	if r == nil || now.After(r.until) {
		return Load{}, false
	}
	return r.Load, true
}
