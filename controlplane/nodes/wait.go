package nodes

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// Want is what nodes are waited for to serve. A zero Release or Keys is not
// waited for.
type Want struct {
	Epoch, Release, Keys uint64
	// Hash is the Release's: a node may have rejected another one of its number.
	Hash string
	// Canary are the nodes that Release is a canary for; nil for a release of all.
	Canary []string
}

// Fate is what became of a Want at one node.
type Fate string

// The fates.
const (
	Applied  Fate = "applied"
	Rejected Fate = "rejected"
	Pending  Fate = "pending"
)

// Ack is one node's answer to a Want.
type Ack struct {
	Node  string
	State Fate
	// MS is how long the node took, or has been waited for.
	MS     int64
	Reason string
}

// Done reports whether every node has applied.
func Done(acks []Ack) bool {
	return !slices.ContainsFunc(acks, func(a Ack) bool { return a.State != Applied })
}

// Wait returns when every live node has applied or rejected what is wanted, or
// when ctx is done, and then returns the state of each node, by name. Nodes that were
// stale before are not waited for; one that falls silent meanwhile is, and so
// is every known node while NATS is unreachable: which nodes are live is not known.
func (t *Table) Wait(ctx context.Context, want Want) []Ack {
	w := waiting{want: want, start: time.Now(), acks: make(map[string]Ack)}
	for {
		open, next, settled := t.look(&w)
		if !open && settled <= 0 {
			return w.list()
		}
		timer := time.NewTimer(cmp.Or(max(settled, 0), time.Hour))
		select {
		case <-next:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			t.look(&w) // how long the silent ones were waited for
			return w.list()
		}
		timer.Stop()
	}
}

// waiting is one Wait.
type waiting struct {
	want  Want
	start time.Time
	acks  map[string]Ack
}

// look updates the acks. open: someone has not answered. settled is how long
// it takes until the table is complete; positive without a connection.
func (t *Table) look(w *waiting) (open bool, next <-chan struct{}, settled time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	connected := !t.ready.IsZero()
	for id, e := range t.nodes {
		state := e.state(now)
		if w.want.Canary != nil && !slices.Contains(w.want.Canary, id) {
			continue
		}
		if e.status.Stopped {
			delete(w.acks, id) // it will take nothing any more
			continue
		}
		if _, counted := w.acks[id]; counted || state == Live || state == Stale && !connected {
			w.acks[id] = w.judge(id, e, now)
		}
	}
	for _, a := range w.acks {
		open = open || a.State == Pending
	}
	settled = t.ready.Sub(now)
	if !connected {
		settled = time.Hour // until the connection is back, which wakes us
	}
	return open, t.heard, settled
}

func (w *waiting) judge(id string, e *entry, now time.Time) Ack {
	a := w.acks[id]
	s := &e.status
	fate := w.fate(s)
	if a.State == fate && fate != Pending {
		return a // the first answer's time counts
	}
	a = Ack{Node: id, State: fate, MS: max(0, now.Sub(w.start).Milliseconds())}
	switch state := e.state(now); {
	case fate == Rejected:
		if a.Reason = s.Reason; w.want.Canary != nil {
			a.Reason = s.Canary.Reason
		}
	case fate == Pending && state != Live:
		a.Reason = "last heartbeat " + now.Sub(e.seen).Round(time.Second).String() + " ago"
	}
	return a
}

func (w *waiting) fate(s *wire.NodeStatus) Fate {
	if w.want.Canary != nil {
		return w.canaryFate(s)
	}
	sameEpoch := s.Epoch == w.want.Epoch || w.want.Release == 0
	switch {
	case sameEpoch && s.Release >= w.want.Release && s.Keys >= w.want.Keys:
		return Applied
	case sameEpoch && s.Release >= w.want.Release:
		return Pending // the key table is missing
	case s.State == wire.StateRejected && (s.Offered > w.want.Release || s.Offered == w.want.Release && (s.RejectedHash == "" || s.RejectedHash == w.want.Hash)):
		return Rejected
	default:
		return Pending
	}
}

func (w *waiting) canaryFate(s *wire.NodeStatus) Fate {
	switch c := s.Canary; {
	case c == nil || c.Number != w.want.Release || c.Hash != w.want.Hash:
		return Pending
	case c.State == wire.StateRejected:
		return Rejected
	}
	return Applied
}

func (w *waiting) list() []Ack {
	return slices.SortedFunc(maps.Values(w.acks), func(a, b Ack) int { return cmp.Compare(a.Node, b.Node) })
}
