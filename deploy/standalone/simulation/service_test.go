package simulation

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	granting "github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// join connects as a process of a role: answers go only to their inboxes.
func join(t *testing.T, server *bustest.Server, role, name string) *nats.Conn {
	t.Helper()
	conn, err := bus.Connect(bus.Options{URL: server.ClientURL(), Role: role, Name: name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// grants runs a granting daemon until stop is called.
func grants(t *testing.T, server *bustest.Server, name string, table *atomic.Pointer[wire.KeyTable]) (stop func()) {
	t.Helper()
	s, err := granting.NewService(granting.Options{
		Conn: join(t, server, bus.RoleControlPlane, name), Name: name, Grace: 2 * time.Second, Table: table.Load, Release: func() *wire.Release { return nil },
		Spent:   func(context.Context, *granting.Definition) (int64, error) { return 40, nil },
		Granted: func(context.Context) (bool, error) { return false, nil }, NoteGranted: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// Three nodes and a daemon over a real NATS: what three nodes are granted
// together is the limit, also by a successor, and a node that stops gives back
// what it has not used.
func TestGrantsOverNATS(t *testing.T) {
	server := bustest.Start(t)
	list := []wire.Limit{
		{Kind: wire.LimitRPM, Value: 100}, {Kind: wire.LimitConcurrency, Value: 7}, {Kind: wire.LimitBudget, Reset: wire.ResetMonth, Value: 100},
	}
	table := &wire.KeyTable{}
	for _, id := range []string{"rpm", "concurrency", "budget"} {
		table.Keys = append(table.Keys, wire.Key{ID: id})
	}
	for i := range list {
		table.Keys[i].Limits = list[i : i+1]
	}
	var current atomic.Pointer[wire.KeyTable]
	current.Store(table)
	stop := grants(t, server, "daemon-1", &current)
	var nodes []*limits.Link
	counters := make([][]*limits.Counter, len(list)) // by limit
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for i := range 3 {
		name := string(rune('a' + i))
		l := &limits.Link{Conn: join(t, server, bus.RoleDataPlane, name), Node: name, Registry: limits.NewRegistry(uint64(i + 1)), Clock: limits.NewClock(), Log: slog.New(slog.DiscardHandler)}
		l.Registry.Begin()
		for j := range list {
			counters[j] = append(counters[j], l.Registry.Counter(wire.HolderKey, table.Keys[j].ID, &list[j]))
		}
		nodes = append(nodes, l)
		running.Go(func() { _ = l.Run(ctx) })
	}
	var admitted [3]atomic.Int64
	try := func(node, limit int) *limits.Refusal {
		var h limits.Hold
		refused := nodes[node].Registry.Admit(counters[limit][node:node+1], &limits.Need{Cost: 3}, nodes[node].Clock, &h)
		if refused == nil {
			admitted[limit].Add(1)
		}
		return refused
	}
	for i := range list {
		eventually.True(t, "something is granted of "+list[i].Kind, func() bool { return try(0, i) == nil })
	}
	all := func(until time.Time) {
		var load sync.WaitGroup
		for node := range nodes {
			for limit := range list {
				load.Go(func() {
					for time.Now().Before(until) {
						try(node, limit)
						time.Sleep(time.Millisecond)
					}
				})
			}
		}
		load.Wait()
	}
	want := [3]int64{100, 7, 20}                                   // of the budget 40 were spent before
	for began := time.Now(); time.Since(began) < 20*time.Second; { // until all is used: the nodes give back what they cannot use
		if all(time.Now().Add(2 * time.Second)); admitted[0].Load() >= want[0] && admitted[1].Load() >= want[1] && admitted[2].Load() >= want[2] {
			break
		}
	}
	for i := range list {
		if got := admitted[i].Load(); got != want[i] {
			t.Errorf("%s: %d admitted, want %d", list[i].Kind, got, want[i])
		}
	}
	stop()
	grants(t, server, "daemon-2", &current)
	all(time.Now().Add(2 * time.Second))
	for i := range list {
		if got := admitted[i].Load(); got != want[i] {
			t.Errorf("%s: %d admitted with the second daemon, want %d", list[i].Kind, got, want[i])
		}
	}
	if r := try(1, 0); r == nil || r.Retry <= 50*time.Second || r.Retry > 62*time.Second {
		t.Errorf("refused with %+v, want to come back in a minute", r)
	}
	if r := try(1, 2); r == nil || r.Limit.Kind != wire.LimitBudget || r.Outage {
		t.Errorf("refused with %+v, want the budget", r)
	}
}
