package collector_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// rig is a NATS server, a database and whoever collects between them.
type rig struct {
	t    *testing.T
	nats *bustest.Server
	db   *requestlogtest.Database
	nc   *nats.Conn
	js   jetstream.JetStream
}

func newRig(t *testing.T, create func(testing.TB) *requestlogtest.Database) *rig {
	t.Helper()
	r := &rig{t: t, nats: bustest.Start(t), db: create(t)}
	r.nc = r.nats.Connect("test")
	js, err := bus.EnsureUsage(t.Context(), r.nc, bus.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r.js = js
	return r
}

// running is a collector at work.
type running struct {
	*collector.Collector
	t      *testing.T
	cancel context.CancelFunc
	done   chan struct{}
}

// start runs a collector until the test ends. Options that are not set get
// values fit for a test.
func (r *rig) start(o collector.Options) *running {
	r.t.Helper()
	if o.NATS == nil {
		o.NATS = r.nats.Connect("collector")
	}
	if o.Store == nil {
		o.Store = r.db.OpenEmpty(r.t)
	}
	if o.Name == "" {
		o.Name = "main"
	}
	if o.BatchWait == 0 {
		o.BatchWait = 20 * time.Millisecond
	}
	o.Logger = slog.New(slog.NewTextHandler(r.t.Output(), nil))
	c, err := collector.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	collector.SetProgress(c, 100*time.Millisecond)
	ctx, cancel := context.WithCancel(r.t.Context())
	run := &running{Collector: c, t: r.t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(run.done)
		if err := c.Run(ctx); err != nil {
			r.t.Error(err)
		}
	}()
	r.t.Cleanup(run.stop)
	return run
}

// stop ends the collector as SIGTERM does and waits for it.
func (r *running) stop() {
	r.cancel()
	select {
	case <-r.done:
	case <-time.After(30 * time.Second):
		r.t.Error("the collector did not stop")
	}
}

// publish sends events as frames of one node, which begin at number first+1
// of its spool.
func (r *rig) publish(node string, first, attempt, perFrame int, events ...*wire.Usage) {
	r.t.Helper()
	for len(events) > 0 {
		n := min(perFrame, len(events))
		var lines [][]byte
		for _, u := range events[:n] {
			lines = append(lines, u.Append(nil))
		}
		r.publishLines(node, first, attempt, lines)
		first += n
		events = events[n:]
	}
}

func (r *rig) publishLines(node string, first, attempt int, lines [][]byte) {
	r.t.Helper()
	msg, err := bus.EncodeFrame(bus.Frame{
		Node: node, Epoch: "epoch-" + node, First: uint64(first + 1), Last: uint64(first + len(lines)),
		Lines: bytes.Join(lines, []byte("\n")), Attempt: attempt,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := bus.PublishFrame(r.t.Context(), r.nc, msg); err != nil {
		r.t.Fatal(err)
	}
}

func events(first, end int) []*wire.Usage {
	var list []*wire.Usage
	for n := first; n < end; n++ {
		list = append(list, requestlogtest.Event(n))
	}
	return list
}

// sink returns what JetStream knows of a sink.
func (r *rig) sink(name string) *jetstream.ConsumerInfo {
	r.t.Helper()
	cons, err := r.js.Consumer(r.t.Context(), wire.UsageStream, wire.SinkPrefix+name)
	if err != nil {
		r.t.Fatal(err)
	}
	return cons.CachedInfo()
}

// drained waits until a sink has acknowledged everything. It asks for the last
// number and not for what is pending: the server counts that a little later.
func (r *rig) drained(name string) {
	r.t.Helper()
	eventually.True(r.t, "everything acknowledged", func() bool {
		stream, err := r.js.Stream(r.t.Context(), wire.UsageStream)
		if err != nil {
			return false
		}
		cons, err := stream.Consumer(r.t.Context(), wire.SinkPrefix+name)
		return err == nil && cons.CachedInfo().AckFloor.Stream >= stream.CachedInfo().State.LastSeq
	})
}

// stored checks that the database has exactly the events 0..n-1, once each,
// and that the roll-ups agree.
func (r *rig) stored(n int) {
	r.t.Helper()
	for query, want := range map[string]int{
		"SELECT count(*) FROM api_logs":                   n,
		"SELECT count(DISTINCT request_id) FROM api_logs": n,
		"SELECT sum(request_count) FROM api_stats_hourly": n,
	} {
		if got := r.db.Int(r.t, query); got != want {
			r.t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

// faulty is a real store with faults before and after its commits.
type faulty struct {
	requestlog.Store
	// insert replaces Insert; real is the store's own.
	insert func(ctx context.Context, rows []*requestlog.Row, real insertFunc) (int, error)
}

type insertFunc func(context.Context, []*requestlog.Row) (int, error)

func (f *faulty) Insert(ctx context.Context, rows []*requestlog.Row) (int, error) {
	return f.insert(ctx, rows, f.Store.Insert)
}
