package upstream

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// Counts tells what has reached the server.
type Counts struct {
	// Connections is how many were taken in, Connected how many are open.
	Connections uint64 `json:"connections"`
	Connected   int    `json:"connected"`
	// Total sums up By, which is ordered by path and model.
	Total Count   `json:"total"`
	By    []Count `json:"by"`
}

// Of returns the sum for a model over all paths.
func (c Counts) Of(model string) Count {
	sum := Count{Model: model}
	for i := range c.By {
		if c.By[i].Model == model {
			sum.add(&c.By[i])
		}
	}
	return sum
}

// Count is of the requests to one path with one model.
type Count struct {
	Path  string `json:"path,omitempty"`
	Model string `json:"model,omitempty"`
	// Requests = Answered + Cancelled + Broken + Open.
	Requests  uint64 `json:"requests"`
	Answered  uint64 `json:"answered"`  // the script was played to its end
	Cancelled uint64 `json:"cancelled"` // the client left before that
	Broken    uint64 `json:"broken"`    // a scripted fault ended the connection
	Open      uint64 `json:"open"`
}

func (c *Count) add(o *Count) {
	c.Requests += o.Requests
	c.Answered += o.Answered
	c.Cancelled += o.Cancelled
	c.Broken += o.Broken
	c.Open += o.Open
}

type tallyKey struct{ path, model string }

// tally is a Count while it is counted.
type tally struct{ requests, answered, cancelled, broken atomic.Uint64 }

// count reads the ends before the beginning, so that Open is never negative.
func (t *tally) count(k tallyKey) Count {
	c := Count{Path: k.path, Model: k.model, Answered: t.answered.Load(), Cancelled: t.cancelled.Load(), Broken: t.broken.Load()}
	c.Requests = t.requests.Load()
	c.Open = c.Requests - c.Answered - c.Cancelled - c.Broken
	return c
}

// ledger counts requests and keeps the last one for each model.
type ledger struct {
	connections atomic.Uint64
	requests    atomic.Uint64

	mu      sync.Mutex
	tallies map[tallyKey]*tally
	last    map[string]*record
}

// begin counts a request and records it.
func (l *ledger) begin(r *request) *tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := tallyKey{r.path, r.model}
	t := l.tallies[k]
	if t == nil {
		t = &tally{}
		l.tallies[k] = t
	}
	t.requests.Add(1)
	rec := l.last[r.model]
	if rec == nil {
		rec = &record{}
		l.last[r.model] = rec
	}
	rec.take(r)
	return t
}

func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.tallies) // who is counting at the moment keeps his tally
	clear(l.last)
	l.connections.Store(0)
}

func (l *ledger) counts() Counts {
	c := Counts{Connections: l.connections.Load(), By: []Count{}}
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, t := range l.tallies {
		c.By = append(c.By, t.count(k))
	}
	slices.SortFunc(c.By, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Model, b.Model))
	})
	for i := range c.By {
		c.Total.add(&c.By[i])
	}
	return c
}
