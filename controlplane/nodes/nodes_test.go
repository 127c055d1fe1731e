package nodes_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/wire"
)

func table() *nodes.Table { return nodes.New(nodes.Options{Log: slog.New(slog.DiscardHandler)}) }

func serving(node string, release uint64) *wire.NodeStatus {
	return &wire.NodeStatus{Node: node, Epoch: 7, Release: release, Offered: release, State: wire.StateApplied, Keys: 3}
}

func rejecting(node string, serves, offered uint64) *wire.NodeStatus {
	return &wire.NodeStatus{Node: node, Epoch: 7, Release: serves, Offered: offered, State: wire.StateRejected, Reason: "no adapter", Keys: 3}
}

func TestNodesAgeWithoutHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := table()
		states := func(want ...nodes.State) {
			t.Helper()
			var got []nodes.State
			for _, n := range tab.List() {
				got = append(got, n.State)
			}
			if !slices.Equal(got, want) {
				t.Errorf("states %v, want %v", got, want)
			}
		}
		tab.Hear(serving("a", 1))
		leaving := serving("b", 1)
		leaving.Draining = true
		tab.Hear(leaving)
		states(nodes.Live, nodes.Live)
		time.Sleep(6 * time.Second)
		states(nodes.Live, nodes.Live)
		time.Sleep(time.Millisecond)
		states(nodes.Stale, nodes.Gone)
		if live, stale := tab.Count(); live != 0 || stale != 1 {
			t.Errorf("%d live, %d stale", live, stale)
		}
		tab.Hear(serving("a", 1))
		states(nodes.Live, nodes.Gone)
		time.Sleep(11 * time.Minute)
		states(nodes.Gone, nodes.Gone)
		time.Sleep(24 * time.Hour)
		states()
	})
}

func TestWaitEndsWhenAllHaveAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := table()
		tab.Connection(true)
		time.Sleep(5 * time.Second)
		tab.Hear(serving("a", 4))
		tab.Hear(serving("b", 4))
		tab.Hear(serving("c", 5))
		go func() {
			time.Sleep(20 * time.Millisecond)
			tab.Hear(serving("a", 5))
			time.Sleep(20 * time.Millisecond)
			tab.Hear(rejecting("b", 4, 5))
			tab.Hear(serving("a", 6))
		}()
		got := tab.Wait(t.Context(), nodes.Want{Epoch: 7, Release: 5})
		want := []nodes.Ack{
			{Node: "a", State: nodes.Applied, MS: 20},
			{Node: "b", State: nodes.Rejected, MS: 40, Reason: "no adapter"},
			{Node: "c", State: nodes.Applied},
		}
		if !slices.Equal(got, want) {
			t.Errorf("acks %+v, want %+v", got, want)
		}
		if nodes.Done(got) || !nodes.Done(got[:1]) {
			t.Error("a rejection counts as done")
		}
	})
}

func TestWaitNamesWhoHasNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := table()
		tab.Connection(true)
		tab.Hear(serving("dead", 4))
		time.Sleep(10 * time.Second) // stale before the wait: not waited for
		tab.Hear(serving("dies", 4))
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		got := tab.Wait(ctx, nodes.Want{Epoch: 7, Release: 5})
		if len(got) != 1 || got[0].Node != "dies" || got[0].State != nodes.Pending || time.Duration(got[0].MS)*time.Millisecond > 9*time.Second {
			t.Errorf("acks %+v", got)
		}
	})
}

func TestWaitWithoutNATSWaitsForEveryNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := table()
		tab.Connection(true)
		tab.Hear(serving("a", 4))
		time.Sleep(10 * time.Second)
		tab.Connection(false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := tab.Wait(ctx, nodes.Want{Epoch: 7, Release: 5})
		if len(got) != 1 || got[0].State != nodes.Pending || got[0].MS < 10 {
			t.Errorf("acks %+v", got)
		}
	})
}

func TestWaitGivesNodesTimeToAnnounceThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := table()
		tab.Connection(true)
		go func() {
			time.Sleep(2 * time.Second)
			tab.Hear(serving("a", 5))
		}()
		if got := tab.Wait(t.Context(), nodes.Want{Epoch: 7, Release: 5}); len(got) != 1 || got[0].State != nodes.Applied {
			t.Errorf("acks %+v", got)
		}
	})
}

func TestWaitTellsEpochsAndKeysApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := table()
		tab.Connection(true)
		time.Sleep(5 * time.Second)
		tab.Hear(serving("a", 9))
		f := func(w nodes.Want, want nodes.Fate) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if got := tab.Wait(ctx, w); len(got) != 1 || got[0].State != want {
				t.Errorf("%+v: %+v, want %s", w, got, want)
			}
		}
		f(nodes.Want{Epoch: 7, Release: 9}, nodes.Applied)
		f(nodes.Want{Epoch: 8, Release: 1}, nodes.Pending)
		f(nodes.Want{Epoch: 7, Keys: 3}, nodes.Applied)
		f(nodes.Want{Epoch: 7, Keys: 4}, nodes.Pending)
		tab.Hear(rejecting("a", 9, 1))
		f(nodes.Want{Epoch: 8, Release: 1}, nodes.Rejected)
	})
}

func TestHeartbeatsComeOverNATS(t *testing.T) {
	s := bustest.Start(t)
	tab := nodes.New(nodes.Options{Conn: s.Connect("control"), Log: slog.New(slog.DiscardHandler)})
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- tab.Run(ctx) }()
	nc := s.Connect("node-a")
	send := func(subject string, status *wire.NodeStatus) {
		t.Helper()
		b, err := status.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Publish(subject, b); err != nil {
			t.Fatal(err)
		}
	}
	wait, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	acks := make(chan []nodes.Ack, 1)
	go func() { acks <- tab.Wait(wait, nodes.Want{Epoch: 7, Release: 2}) }()
	send(wire.NodeStatusPrefix+"node-b", serving("node-a", 2)) // speaks for someone else
	if err := nc.PublishMsg(&nats.Msg{Subject: wire.NodeStatusPrefix + "node-a", Data: []byte("rubbish")}); err != nil {
		t.Fatal(err)
	}
	// the subscription may not stand yet: a heartbeat comes again
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		send(wire.NodeStatusPrefix+"node-a", serving("node-a", 2))
		select {
		case got := <-acks:
			if len(got) != 1 || got[0].Node != "node-a" || got[0].State != nodes.Applied {
				t.Errorf("acks %+v", got)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			return
		case <-tick.C:
		}
	}
}

// TestClocksDoNotMatter has nodes an hour off: their states, and what was
// waited for, go by this machine's clock alone.
func TestClocksDoNotMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := table()
		tab.Connection(true)
		for node, off := range map[string]time.Duration{"early": -time.Hour, "late": time.Hour} {
			s := serving(node, 2)
			s.Time, s.Started = time.Now().Add(off).UnixMilli(), time.Now().Add(off-time.Minute).UnixMilli()
			tab.Hear(s)
		}
		if live, stale := tab.Count(); live != 2 || stale != 0 {
			t.Errorf("%d live, %d stale", live, stale)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if acks := tab.Wait(ctx, nodes.Want{Epoch: 7, Release: 2}); len(acks) != 2 || !nodes.Done(acks) {
			t.Errorf("%+v", acks)
		}
		time.Sleep(7 * time.Second)
		if live, stale := tab.Count(); live != 0 || stale != 2 {
			t.Errorf("%d live, %d stale", live, stale)
		}
	})
}

func TestAStoppedNodeIsGoneAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := table()
		tab.Connection(true)
		time.Sleep(5 * time.Second)
		draining := serving("a", 4)
		draining.Instance, draining.Draining = "old", true
		tab.Hear(draining)
		if got := tab.List(); got[0].State != nodes.Live {
			t.Errorf("while it drains: %s", got[0].State)
		}
		acks := make(chan []nodes.Ack, 1)
		go func() { acks <- tab.Wait(t.Context(), nodes.Want{Epoch: 7, Release: 5}) }()
		synctest.Wait()
		goodbye := *draining
		goodbye.Stopped = true
		tab.Hear(&goodbye)
		if got := tab.List(); got[0].State != nodes.Gone {
			t.Errorf("after its goodbye: %s", got[0].State)
		}
		if got := <-acks; len(got) != 0 {
			t.Errorf("a stopped node is waited for: %+v", got)
		}
		again := serving("a", 5)
		again.Instance = "new"
		tab.Hear(again)
		tab.Hear(&goodbye) // late
		if got := tab.List(); got[0].State != nodes.Live {
			t.Errorf("started again: %s", got[0].State)
		}
	})
}
