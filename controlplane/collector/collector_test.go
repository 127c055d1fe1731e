package collector_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// Ten thousand events of two nodes in frames of all sizes, a third of them sent
// again, through three collectors side by side: each event is there once.
func TestExactCounts(t *testing.T) {
	f := func(t *testing.T, create func(testing.TB) *requestlogtest.Database) {
		r := newRig(t, create)
		var all []*running
		for range 3 {
			all = append(all, r.start(collector.Options{Primary: true}))
		}
		const total = 4_000
		sent := 0
		random := rand.New(rand.NewPCG(1, 2))
		for first := 0; first < total; {
			n := min(1+random.IntN(250), total-first)
			node := []string{"node-a", "node-b"}[random.IntN(2)]
			for attempt := range 1 + random.IntN(3)/2 {
				r.publish(node, first, attempt, n, events(first, first+n)...)
				sent += n
			}
			first += n
		}
		r.drained("main")
		r.stored(total)
		var sum collector.Status
		for _, c := range all {
			c.stop()
			s := c.Status()
			sum.Inserted += s.Inserted
			sum.Duplicates += s.Duplicates
			sum.Events += s.Events
		}
		if sum.Inserted != total || sum.Events != uint64(sent) || sum.Duplicates != uint64(sent-total) || sent == total {
			t.Errorf("collectors count %d events, %d inserted, %d duplicates; want %d, %d, %d", sum.Events, sum.Inserted, sum.Duplicates, sent, total, sent-total)
		}
	}
	t.Run("sqlite", func(t *testing.T) { f(t, requestlogtest.SQLite) })
	t.Run("postgres", func(t *testing.T) { f(t, requestlogtest.Postgres) })
}

// A commit whose answer is lost is committed all the same; one that failed is not.
func TestStoreFailsBeforeAndAfterItsCommit(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	var calls atomic.Int64
	lost := errors.New("connection lost")
	s := &faulty{Store: r.db.OpenEmpty(t), insert: func(ctx context.Context, rows []*requestlog.Row, real insertFunc) (int, error) {
		switch calls.Add(1) % 3 {
		case 1:
			return 0, lost
		case 2:
			if _, err := real(ctx, rows); err != nil {
				return 0, err
			}
			return 0, lost
		}
		return real(ctx, rows)
	}}
	c := r.start(collector.Options{Store: s, BatchRows: 100, Parallel: 1})
	r.publish("node-a", 0, 0, 50, events(0, 500)...)
	r.drained("main")
	r.stored(500)
	c.stop()
	if got := c.Status(); got.Duplicates != 500 || got.Inserted != 0 || got.Retries != 2*got.Batches || got.Error != "" || !strings.Contains(got.LastError, "connection lost") {
		t.Errorf("%+v, want all 500 to be found by the third attempt", got)
	}
}

// A collector that dies after the commit and before the acknowledgement leaves
// frames that come again, to the next collector.
func TestKilledBetweenCommitAndAcknowledgement(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	nc := r.nats.Connect("victim")
	s := &faulty{Store: r.db.OpenEmpty(t), insert: func(ctx context.Context, rows []*requestlog.Row, real insertFunc) (int, error) {
		n, err := real(ctx, rows)
		nc.Close() // as far as NATS can tell, the process is gone
		return n, err
	}}
	victim := r.start(collector.Options{Store: s, NATS: nc, BatchRows: 200, Parallel: 1})
	r.publish("node-a", 0, 0, 50, events(0, 500)...)
	eventually.True(r.t, "the victim's commit", func() bool { return victim.Status().Batches == 1 })
	victim.stop()
	if got := r.sink("main").NumAckPending; got == 0 {
		t.Fatal("no frame is unacknowledged: the kill came too late")
	}
	next := r.start(collector.Options{})
	eventually.True(r.t, "the rest to be collected", func() bool { return r.sink("main").NumPending == 0 })
	// the dead collector's frames come when their time is over: make that soon
	conf := r.sink("main").Config
	conf.AckWait = 200 * time.Millisecond
	if _, err := r.js.UpdateConsumer(t.Context(), wire.UsageStream, conf); err != nil {
		t.Fatal(err)
	}
	r.drained("main")
	r.stored(500)
	if got := next.Status(); got.Duplicates == 0 {
		t.Errorf("%+v, want the victim's events to have come again", got)
	}
}

// While the database is down nothing is acknowledged, dropped or piled up in
// memory; when it is back everything is stored.
func TestDatabaseDownThenUp(t *testing.T) {
	r := newRig(t, requestlogtest.Postgres)
	proxy := newProxy(t, r.db.Config.Postgres.DSN.Reveal())
	behind := *r.db
	behind.Config.Postgres.DSN = proxy.dsn()
	proxy.cut() // down at the start, too
	c := r.start(collector.Options{Store: behind.OpenEmpty(t), BatchRows: 200})
	r.publish("node-a", 0, 0, 50, events(0, 1000)...)
	eventually.True(r.t, "an error in the status", func() bool { return strings.HasPrefix(c.Status().Error, "prepare the database") })
	proxy.restore()
	r.drained("main")
	r.stored(1000)
	proxy.cut()
	r.publish("node-a", 1000, 0, 50, events(1000, 3000)...)
	eventually.True(r.t, "the failure to show", func() bool { got := c.Status(); return got.Error != "" && got.InHand > 0 && got.LagMS > 0 })
	if got := r.sink("main"); got.NumAckPending > 20 || got.NumPending == 0 {
		t.Errorf("%d frames in hand and %d waiting; want no more than a batch in hand", got.NumAckPending, got.NumPending)
	}
	proxy.restore()
	r.drained("main")
	r.stored(3000)
	if got := c.Status(); got.Error != "" || got.InHand != 0 {
		t.Errorf("%+v, want no error and nothing in hand", got)
	}
}

// Frames in hand are not given to another collector, however long the database
// takes.
func TestFramesInHandStay(t *testing.T) {
	const ackWait = 500 * time.Millisecond
	r := newRig(t, requestlogtest.SQLite)
	var began atomic.Int64
	s := &faulty{Store: r.db.OpenEmpty(t), insert: func(ctx context.Context, rows []*requestlog.Row, real insertFunc) (int, error) {
		began.CompareAndSwap(0, time.Now().UnixNano())
		if time.Since(time.Unix(0, began.Load())) < 4*ackWait {
			return 0, errors.New("busy")
		}
		return real(ctx, rows)
	}}
	c, other := r.start(collector.Options{Store: s}), r.start(collector.Options{Store: s})
	eventually.True(r.t, "both wait for frames", func() bool {
		cons, err := r.js.Consumer(t.Context(), wire.UsageStream, wire.SinkPrefix+"main")
		return err == nil && cons.CachedInfo().NumWaiting == 2
	})
	conf := r.sink("main").Config
	conf.AckWait = ackWait
	if _, err := r.js.UpdateConsumer(t.Context(), wire.UsageStream, conf); err != nil {
		t.Fatal(err)
	}
	r.publish("node-a", 0, 0, 50, events(0, 50)...)
	r.drained("main")
	r.stored(50)
	if n := c.Status().Events + other.Status().Events; n != 50 {
		t.Errorf("%d events were delivered, want each of the 50 once", n)
	}
}

// A stop finishes the batch in hand.
func TestStopFinishesTheBatch(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	entered, leave := make(chan struct{}), make(chan struct{})
	s := &faulty{Store: r.db.OpenEmpty(t), insert: func(ctx context.Context, rows []*requestlog.Row, real insertFunc) (int, error) {
		close(entered)
		<-leave
		return real(ctx, rows)
	}}
	c := r.start(collector.Options{Store: s})
	r.publish("node-a", 0, 0, 50, events(0, 50)...)
	<-entered
	c.cancel()
	close(leave)
	c.stop()
	r.stored(50)
	r.drained("main")
}

// A stop while the database is down gives the batch back: another collector has
// it at once, not after a minute.
func TestStopWithTheDatabaseDown(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	s := &faulty{Store: r.db.OpenEmpty(t), insert: func(context.Context, []*requestlog.Row, insertFunc) (int, error) {
		return 0, errors.New("down")
	}}
	c := r.start(collector.Options{Store: s, Grace: 100 * time.Millisecond})
	r.publish("node-a", 0, 0, 50, events(0, 50)...)
	eventually.True(r.t, "a failure", func() bool { return c.Status().Retries > 0 })
	c.stop()
	began := time.Now()
	r.start(collector.Options{})
	r.drained("main")
	r.stored(50)
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("the batch came back after %v", d)
	}
}

// Receipts name what is in the database by then, every event, and come from the
// primary sink alone.
func TestReceipts(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	got := make(map[uint64]bool)
	receipts := make(chan *nats.Msg, 1000)
	if _, err := r.nc.ChanSubscribe(wire.CommitPrefix+"node-a", receipts); err != nil {
		t.Fatal(err)
	}
	if err := r.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	// The stream keeps events for the sinks that it knows.
	if _, err := bus.EnsureSink(t.Context(), r.js, "main"); err != nil {
		t.Fatal(err)
	}
	other := requestlogtest.SQLite(t)
	r.start(collector.Options{Name: "other", Store: other.OpenEmpty(t)})
	r.publish("node-a", 0, 0, 10, events(0, 300)...)
	r.drained("other")
	if len(receipts) > 0 {
		t.Fatal("a sink that is not primary sent receipts")
	}
	r.start(collector.Options{Primary: true, BatchRows: 100})
	for len(got) < 300 {
		select {
		case msg := <-receipts:
			receipt, err := wire.DecodeReceipt(msg.Data)
			if err != nil {
				t.Fatal(err)
			}
			for _, span := range receipt.Ranges {
				for seq := span.First; seq <= span.Last; seq++ {
					got[seq] = true
				}
				if span.Epoch != "epoch-node-a" || span.Last > 300 {
					t.Errorf("receipt for %+v", span)
				}
			}
			if n := r.db.Int(t, "SELECT count(*) FROM api_logs"); n < len(got) {
				t.Fatalf("receipts for %d events with %d in the database", len(got), n)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("receipts for %d events only", len(got))
		}
	}
	if n := other.Int(t, "SELECT count(*) FROM api_logs"); n != 300 {
		t.Errorf("the other sink has %d events, want 300", n)
	}
}

// The stream loses what every sink has, nothing else.
func TestPurge(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	messages := func() uint64 {
		stream, err := r.js.Stream(t.Context(), wire.UsageStream)
		if err != nil {
			t.Fatal(err)
		}
		return stream.CachedInfo().State.Msgs
	}
	late, err := r.js.CreateConsumer(t.Context(), wire.UsageStream, jetstream.ConsumerConfig{Durable: wire.SinkPrefix + "late", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	c := r.start(collector.Options{})
	r.publish("node-a", 0, 0, 1, events(0, 30)...)
	r.drained("main")
	batch, err := late.Fetch(10)
	if err != nil {
		t.Fatal(err)
	}
	for msg := range batch.Messages() {
		if err := msg.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually.True(r.t, "a purge up to the slower sink", func() bool { return messages() == 20 })
	c.stop()
	r.start(collector.Options{})
	if err := r.js.DeleteConsumer(t.Context(), wire.UsageStream, wire.SinkPrefix+"late"); err != nil {
		t.Fatal(err)
	}
	eventually.True(r.t, "the rest purged", func() bool { return messages() == 0 })
}

// With KeepBytes the last part stays for other consumers.
func TestPurgeKeeps(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	r.publish("node-a", 0, 0, 1, events(0, 100)...)
	stream, err := r.js.Stream(t.Context(), wire.UsageStream)
	if err != nil {
		t.Fatal(err)
	}
	perMessage := stream.CachedInfo().State.Bytes / 100
	r.start(collector.Options{KeepBytes: int64(40*perMessage + perMessage/2)})
	eventually.True(r.t, "a purge", func() bool {
		info, err := stream.Info(t.Context())
		return err == nil && info.State.Msgs < 50
	})
	if n := stream.CachedInfo().State.Msgs; n < 35 {
		t.Errorf("%d messages stay, want about 40", n)
	}
	r.drained("main")
	r.stored(100)
}

// JetStream's storage is gone: the collector makes stream and sink anew and goes on.
func TestStreamWiped(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	c := r.start(collector.Options{})
	r.publish("node-a", 0, 0, 50, events(0, 100)...)
	r.drained("main")
	if err := r.js.DeleteStream(t.Context(), wire.UsageStream); err != nil {
		t.Fatal(err)
	}
	eventually.True(r.t, "the stream is there again", func() bool {
		_, err := r.js.Consumer(t.Context(), wire.UsageStream, wire.SinkPrefix+"main")
		return err == nil
	})
	r.publish("node-a", 50, 1, 50, events(50, 200)...)
	r.drained("main")
	r.stored(200)
	if got := c.Status(); got.Error != "" {
		t.Errorf("%+v, want no error any more", got)
	}
}

func TestNewRefusesBadOptions(t *testing.T) {
	good := collector.Options{NATS: new(nats.Conn), Store: new(faulty), Name: "pg", Logger: slog.New(slog.DiscardHandler)}
	f := func(spoil func(o *collector.Options), want string) {
		t.Helper()
		o := good
		spoil(&o)
		if _, err := collector.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	f(func(o *collector.Options) { o.NATS = nil }, "required")
	f(func(o *collector.Options) { o.Store = nil }, "required")
	f(func(o *collector.Options) { o.Logger = nil }, "required")
	f(func(o *collector.Options) { o.Name = "" }, "required")
	f(func(o *collector.Options) { o.Name = "a.b" }, `name "a.b" must be a-z, 0-9 and -`)
}
