package limits_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/logs/logtest"
	"github.com/hybridinference/gateway/shared/wire"
)

// daemon is a service that grants one limit of 100 requests a minute.
type daemon struct {
	*limits.Service
	conn  *nats.Conn
	table atomic.Pointer[wire.KeyTable]
	log   logtest.Buffer
	stop  func()
}

// memory is what the control state remembers of granting.
type memory struct{ granted atomic.Bool }

func (m *memory) note(context.Context) error { m.granted.Store(true); return nil }

func (m *memory) ask(context.Context) (bool, error) { return m.granted.Load(), nil }

func connect(t *testing.T, server *bustest.Server, role, name string) *nats.Conn {
	t.Helper()
	conn, err := bus.Connect(bus.Options{URL: server.ClientURL(), Role: role, Name: name, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func startDaemon(t *testing.T, server *bustest.Server, name string, table *wire.KeyTable, m *memory, options ...func(*limits.Options)) *daemon {
	t.Helper()
	d := &daemon{conn: connect(t, server, bus.RoleControlPlane, name)}
	d.table.Store(table)
	o := limits.Options{
		Conn: d.conn, Name: name, Grace: grace, Table: d.table.Load, Release: func() *wire.Release { return nil }, Log: slog.New(slog.NewTextHandler(&d.log, nil)),
		Spent: func(context.Context, *limits.Definition) (int64, error) { return 0, nil }, Granted: m.ask, NoteGranted: m.note,
	}
	for _, set := range options {
		set(&o)
	}
	s, err := limits.NewService(o)
	if err != nil {
		t.Fatal(err)
	}
	d.Service = s
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = d.Run(ctx) }()
	d.stop = func() { cancel(); <-done }
	t.Cleanup(d.stop)
	return d
}

// crash ends the daemon before it can say so.
func (d *daemon) crash() {
	d.conn.Close()
	d.stop()
}

// client is a node.
type client struct {
	t     *testing.T
	conn  *nats.Conn
	name  string
	seq   uint64
	epoch uint64
	heard time.Time
}

// report repeats a report until it is answered.
func (c *client) report(use wire.LeaseUse) (grant wire.LeaseGrant) {
	c.t.Helper()
	use.Counter = (&wire.Limit{Kind: wire.LimitRPM}).Counter(wire.HolderKey, "k")
	eventually.Nil(c.t, 20*time.Second, c.name+" is answered", func() error {
		c.seq++
		r := &wire.LeaseReport{Instance: 1, Seq: c.seq, Epoch: c.epoch, Uses: []wire.LeaseUse{use}}
		if c.epoch != 0 {
			r.Heard = time.Since(c.heard)
		}
		m, err := c.conn.Request(wire.LeasePrefix+c.name, r.Append(nil), 300*time.Millisecond)
		if err != nil {
			return err
		}
		reply, err := wire.DecodeLeaseReply(m.Data)
		if err != nil {
			return err
		}
		if len(reply.Grants) == 0 {
			return nats.ErrNoResponders // the limit is not known yet
		}
		c.epoch, c.heard, grant = reply.Epoch, time.Now(), reply.Grants[0]
		return nil
	})
	return grant
}

// documents are what the stream has.
func documents(t *testing.T, js jetstream.JetStream) map[string][]byte {
	t.Helper()
	stream, err := js.Stream(t.Context(), wire.LeaseStream)
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context(), jetstream.WithSubjectFilter(">"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for subject := range info.State.Subjects {
		m, err := stream.GetLastMsgForSubject(t.Context(), subject)
		if err != nil {
			t.Fatal(err)
		}
		out[subject] = m.Data
	}
	return out
}

// restore replaces the stream by one that has only these documents.
func restore(t *testing.T, js jetstream.JetStream, docs map[string][]byte) {
	t.Helper()
	if err := js.DeleteStream(t.Context(), wire.LeaseStream); err != nil {
		t.Fatal(err)
	}
	if docs == nil {
		return
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: wire.LeaseStream, Subjects: []string{wire.LeaseStatePrefix + ">"}, MaxMsgsPerSubject: 1}); err != nil {
		t.Fatal(err)
	}
	for subject, data := range docs {
		if _, err := js.Publish(t.Context(), subject, data); err != nil {
			t.Fatal(err)
		}
	}
}

// What NATS has lost is written again by the daemon that grants, so that its
// successor knows what is out.
func TestALostStreamIsWrittenAgain(t *testing.T) {
	for name, older := range map[string]bool{"missing": false, "older": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a successor waits for three seconds
			server := bustest.Start(t)
			js, err := jetstream.New(connect(t, server, bus.RoleControlPlane, "test"))
			if err != nil {
				t.Fatal(err)
			}
			table := &wire.KeyTable{Keys: []wire.Key{{ID: "k", Limits: []wire.Limit{{Kind: wire.LimitRPM, Value: 100}}}}}
			var control memory
			one := startDaemon(t, server, "one", table, &control)
			a := &client{t: t, conn: connect(t, server, bus.RoleDataPlane, "a"), name: "a"}
			a.report(wire.LeaseUse{Demand: 300, Need: 20})
			var backup map[string][]byte
			if older {
				backup = documents(t, js)
			}
			a.report(wire.LeaseUse{Held: 20, Used: 20, Demand: 300, Need: 40})
			restore(t, js, backup)
			if g := a.report(wire.LeaseUse{Held: 60, Used: 60, Demand: 300, Need: 20}); g.Share < 80 {
				t.Fatalf("%+v, want 20 more", g)
			}
			if _, ok := documents(t, js)[wire.LeaseStatePrefix+"node.a"]; !ok {
				t.Error("what the node has is not kept")
			}
			if !strings.Contains(one.log.String(), "NATS has lost what was granted of limits") {
				t.Errorf("not in the log: %s", one.log.String())
			}
			one.crash()
			startDaemon(t, server, "two", table, &control)
			b := &client{t: t, conn: connect(t, server, bus.RoleDataPlane, "b"), name: "b"}
			if g := b.report(wire.LeaseUse{Demand: 300, Need: 1}); g.Share > 20 {
				t.Errorf("%+v of the 20 that are left", g)
			}
		})
	}
}

// A daemon that finds its state lost, or older than what nodes have been told,
// says so and gives no node more than it has.
func TestASuccessorNoticesALoss(t *testing.T) {
	server := bustest.Start(t)
	js, err := jetstream.New(connect(t, server, bus.RoleControlPlane, "test"))
	if err != nil {
		t.Fatal(err)
	}
	table := &wire.KeyTable{Keys: []wire.Key{{ID: "k", Limits: []wire.Limit{{Kind: wire.LimitRPM, Value: 100}}}}}
	var control memory
	one := startDaemon(t, server, "one", table, &control)
	a := &client{t: t, conn: connect(t, server, bus.RoleDataPlane, "a"), name: "a"}
	a.report(wire.LeaseUse{Demand: 300, Need: 80})
	one.crash()
	restore(t, js, nil)
	two := startDaemon(t, server, "two", table, &control)
	b := &client{t: t, conn: connect(t, server, bus.RoleDataPlane, "b"), name: "b"}
	if g := b.report(wire.LeaseUse{Demand: 300, Need: 1}); g.Share > 0 || g.Dry {
		t.Errorf("%+v before the nodes have been heard of", g)
	}
	if g := a.report(wire.LeaseUse{Held: 80, Used: 80, Demand: 300, Need: 1}); g.Share != 80 {
		t.Errorf("%+v, want what it has", g)
	}
	eventually.True(t, "it is a problem", func() bool {
		list := two.Problems()
		return len(list) == 1 && strings.HasPrefix(list[0], "what was granted of limits was lost: no node gets more than it has until ")
	})
	if !strings.Contains(two.log.String(), "what was granted of limits was lost") {
		t.Errorf("not in the log: %s", two.log.String())
	}
}

// A new installation has lost nothing: its first keys are granted what they need
// at once. An empty state is taken for a lost one if a daemon has granted before,
// or if that is not known.
func TestANewInstallationGrantsAtOnce(t *testing.T) {
	server := bustest.Start(t)
	table := &wire.KeyTable{Keys: []wire.Key{{ID: "k", Limits: []wire.Limit{{Kind: wire.LimitRPM, Value: 100}}}}}
	var control memory
	one := startDaemon(t, server, "one", table, &control)
	a := &client{t: t, conn: connect(t, server, bus.RoleDataPlane, "a"), name: "a"}
	if g := a.report(wire.LeaseUse{Demand: 300, Need: 20}); g.Share < 20 {
		t.Errorf("%+v, want what it needs", g)
	}
	if list := one.Problems(); len(list) > 0 {
		t.Errorf("problems: %q", list)
	}
	if !control.granted.Load() {
		t.Error("the control state does not know that shares were granted")
	}
}

// A daemon that no other can be beside does not wait for the one before it, which
// was killed: its keys would be refused meanwhile.
func TestADaemonThatIsAloneGrantsAtOnce(t *testing.T) {
	server := bustest.Start(t)
	table := &wire.KeyTable{Keys: []wire.Key{{ID: "k", Limits: []wire.Limit{{Kind: wire.LimitRPM, Value: 100}}}}}
	var control memory
	one := startDaemon(t, server, "one", table, &control)
	a := &client{t: t, conn: connect(t, server, bus.RoleDataPlane, "a"), name: "a"}
	a.report(wire.LeaseUse{Demand: 300, Need: 20})
	one.crash()
	began := time.Now()
	two := startDaemon(t, server, "two", table, &control, func(o *limits.Options) { o.Alone = true })
	eventually.True(t, "it grants", func() bool { return strings.Contains(two.log.String(), "granting") })
	if waited := time.Since(began); waited > 2500*time.Millisecond {
		t.Errorf("it waited for %s", waited)
	}
}
