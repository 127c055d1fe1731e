// Package nodes knows which data-plane nodes there are and what each of them
// serves, from the heartbeats that they send. It believes no node longer than
// its last heartbeat is fresh.
package nodes

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/wire"
)

// State is how much a node's last words are worth.
type State string

// The states.
const (
	Live State = "live"
	// Stale nodes have missed three heartbeats: dead, cut off, or behind a
	// NATS that is.
	Stale State = "stale"
	// Gone nodes have said goodbye, or have been silent for long.
	Gone State = "gone"
)

const (
	staleAfter  = 6 * time.Second
	goneAfter   = 10 * time.Minute
	forgetAfter = 24 * time.Hour
)

// Node is what is known of a node.
type Node struct {
	wire.NodeStatus
	State State
	// Seen is when the last heartbeat came, by this machine's clock.
	Seen time.Time
}

// Options are what a Table needs.
type Options struct {
	Conn *nats.Conn
	Log  *slog.Logger
}

// Table is the list of nodes. Its methods may be called side by side.
type Table struct {
	o Options

	mu    sync.Mutex
	nodes map[string]*entry
	// heard is closed and replaced at each heartbeat.
	heard chan struct{}
	// ready is when the table may be taken as complete: every live node has had
	// time for a heartbeat since the connection came up. Zero while it is down.
	ready time.Time
}

type entry struct {
	status wire.NodeStatus
	seen   time.Time
}

// New returns an empty table.
func New(o Options) *Table {
	return &Table{o: o, nodes: make(map[string]*entry), heard: make(chan struct{})}
}

// settleTime is a heartbeat's period and some.
const settleTime = 2500 * time.Millisecond

// Run listens to heartbeats until ctx is done.
func (t *Table) Run(ctx context.Context) error {
	sub, err := t.o.Conn.Subscribe(wire.NodeStatusPrefix+"*", t.receive)
	if err != nil {
		return fmt.Errorf("subscribe to node status: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
	changes := t.o.Conn.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED)
	defer t.o.Conn.RemoveStatusListener(changes)
	t.connection(t.o.Conn.IsConnected())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			t.connection(t.o.Conn.IsConnected())
		}
	}
}

func (t *Table) connection(up bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !up:
		t.ready = time.Time{}
	case t.ready.IsZero():
		t.ready = time.Now().Add(settleTime)
	}
	t.wakeLocked()
}

func (t *Table) receive(m *nats.Msg) {
	s, err := wire.DecodeNodeStatus(m.Data)
	if err == nil && m.Subject != wire.NodeStatusPrefix+s.Node {
		err = fmt.Errorf("the status names node %q", s.Node) // a node may only speak for itself
	}
	if err != nil {
		t.o.Log.Warn("unusable heartbeat", slog.String("subject", m.Subject), slog.String("error", err.Error()))
		return
	}
	t.hear(s)
}

func (t *Table) hear(s *wire.NodeStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.nodes[s.Node]
	switch {
	case s.Stopped && before != nil && before.status.Instance != s.Instance:
		return // the goodbye of a process that another one has replaced
	case s.Stopped && (before == nil || !before.status.Stopped):
		t.o.Log.Info("node stopped", slog.String("node", s.Node))
	case before == nil:
		t.o.Log.Info("node joined", slog.String("node", s.Node), slog.String("version", s.Version), slog.Uint64("release", s.Release))
	case s.State == wire.StateRejected && (before.status.State != s.State || before.status.Offered != s.Offered):
		t.o.Log.Warn("node rejected a release", slog.String("node", s.Node), slog.Uint64("release", s.Offered), slog.String("reason", s.Reason))
	}
	t.nodes[s.Node] = &entry{*s, time.Now()}
	t.wakeLocked()
}

func (t *Table) wakeLocked() {
	close(t.heard)
	t.heard = make(chan struct{})
}

// List returns all nodes by name.
func (t *Table) List() []Node {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	out := make([]Node, 0, len(t.nodes))
	for id, e := range t.nodes {
		if now.Sub(e.seen) > forgetAfter {
			delete(t.nodes, id)
			continue
		}
		out = append(out, Node{e.status, e.state(now), e.seen})
	}
	slices.SortFunc(out, func(a, b Node) int { return cmp.Compare(a.Node, b.Node) })
	return out
}

func (e *entry) state(now time.Time) State {
	switch silent := now.Sub(e.seen); {
	case e.status.Stopped, e.status.Draining && silent > staleAfter, silent > goneAfter:
		return Gone
	case silent > staleAfter:
		return Stale
	default:
		return Live
	}
}

// Unsettled returns how long it takes until every live node has had time to
// announce itself, 0 without a connection.
func (t *Table) Unsettled() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, time.Until(t.ready))
}

// Count returns how many nodes are live and how many are stale.
func (t *Table) Count() (live, stale int) {
	for _, n := range t.List() {
		switch n.State {
		case Live:
			live++
		case Stale:
			stale++
		case Gone:
		}
	}
	return live, stale
}
