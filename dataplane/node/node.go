// Package node is a data-plane node as a struct: everything between main and
// the request path, so that tests and the standalone process can start one, or
// several, in their own process.
package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/meter"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/peers"
	"github.com/hybridinference/gateway/dataplane/probe"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/dataplane/watch"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/disk"
	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/run"
	"github.com/hybridinference/gateway/shared/tracing"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// connectTime bounds dialling an upstream.
	connectTime = 10 * time.Second
	// defaultFlush is how long a stop waits for the last usage events to be stored.
	defaultFlush = 5 * time.Second
	// ackTime bounds the wait for JetStream to store a frame.
	ackTime = 5 * time.Second
	// defaultAwait is how long a node without a release waits for one before it answers.
	defaultAwait = 3 * time.Second
	awaitPoll    = 5 * time.Millisecond
)

// Options configure a node.
type Options struct {
	// Node is the node's id.
	Node, Version string
	// NATS says where it is; the node adds who it is.
	NATS bus.Options
	// Trust opens releases and key tables; nil takes unsigned ones, too.
	Trust *bus.Verifier
	// StateDir keeps the last good release and the usage events that are not
	// committed; "" keeps neither beyond the process.
	StateDir string
	// SharedDir: several nodes share StateDir, each with a place of its own in
	// it, whose number is added to Node.
	SharedDir bool
	Gateway   gateway.Options
	Timeouts  upstream.Timeouts
	Breaker   upstream.BreakerSettings
	// SpoolLimit bounds the usage events in StateDir, in bytes; default 1 GiB.
	SpoolLimit int64
	// SpoolSync is when they are written to the disk; default spool.SyncNever.
	SpoolSync spool.Sync
	// Flush bounds the wait for the last usage events at a stop; default 5 s.
	Flush time.Duration
	// Await bounds how long a node that reaches NATS and has no release yet lets
	// requests wait for it; default 3 s.
	Await time.Duration
	// Secret looks up a provider's key by its variable's name.
	Secret func(name string) (string, bool)
	// StandIns lets demo endpoints answer for models whose real endpoints are
	// all out of service: for trying things out.
	StandIns bool
	// Metrics gets the node's; nil for none.
	Metrics *exposition.Registry
	// MetricTeams counts by team, too.
	MetricTeams bool
	// Tracing sends spans; nil for none.
	Tracing *tracing.Tracing
	Log     *slog.Logger
}

// Node is a data-plane node.
type Node struct {
	o        Options
	instance string
	started  time.Time
	current  atomic.Pointer[snapshot.Snapshot]
	conn     *nats.Conn
	watcher  *watch.Watcher
	meter    *meter.Meter
	spool    *spool.Spool // nil without STATE_DIR
	gateway  *gateway.Gateway
	peers    *peers.Peers
	limits   *limits.Link
	senders  *upstream.Senders
	cleanups run.Stack
	// committed is when the last receipt came, milliseconds since 1970.
	committed atomic.Int64
}

// New binds the API's address, connects to NATS, or begins to try, and serves
// nothing yet. When it fails nothing stays behind.
func New(ctx context.Context, o Options) (*Node, error) {
	if o.Flush == 0 {
		o.Flush = defaultFlush
	}
	o.Await = cmp.Or(o.Await, defaultAwait)
	n := &Node{o: o, started: time.Now(), instance: newInstance()}
	if err := n.setup(); err != nil {
		return nil, errors.Join(err, n.cleanups.Unwind(context.WithoutCancel(ctx)))
	}
	return n, nil
}

// setup makes the parts in the order of what needs what; each is followed by
// how it ends.
func (n *Node) setup() (err error) {
	if err := n.takePlace(); err != nil {
		return err
	}
	if err := n.openSpool(); err != nil {
		return err
	}
	o := n.o
	n.meter = meter.New(meter.DefaultLimit, n.spool, o.Log)
	o.Gateway.Node, o.Gateway.Version, o.Gateway.Log, o.Gateway.Report = o.Node, o.Version, o.Log, n.report
	n.current.Store(snapshot.Empty())
	// Questions come with requests, which are served when everything is made.
	o.Gateway.Generation = func(ctx context.Context, id string) *wire.Usage { return n.peers.Generation(ctx, id) }
	o.Gateway.Spent = func(keyID string) (snapshot.Spent, bool) { return n.peers.Spent(keyID) }
	if o.Metrics == nil {
		o.Metrics = exposition.NewRegistry()
	}
	o.Gateway.Metrics = metrics.NewRequests(o.Metrics, o.Node)
	if o.MetricTeams {
		o.Gateway.Metrics.ByTeam(o.Metrics)
	}
	o.Gateway.Tracing = o.Tracing
	registry := limits.NewRegistry(rand.Uint64())
	n.limits = &limits.Link{Node: o.Node, Registry: registry, Clock: limits.NewClock(), Log: o.Log}
	o.Gateway.Limits, o.Gateway.LimitsClock = registry, n.limits.Clock
	if n.gateway, err = gateway.New(o.Gateway, &n.current, n.meter); err != nil {
		return err
	}
	n.cleanups.Push("API", func(context.Context) error { return n.gateway.Close() })
	o.NATS.Role, o.NATS.Name, o.NATS.Log = bus.RoleDataPlane, o.Node, o.Log
	if n.conn, err = bus.Connect(o.NATS); err != nil {
		return err
	}
	n.cleanups.Push("NATS connection", func(context.Context) error { n.conn.Close(); return nil })
	n.limits.Conn = n.conn
	if _, err := n.conn.Subscribe(wire.CommitPrefix+o.Node, n.commits); err != nil {
		return fmt.Errorf("subscribe to receipts: %w", err)
	}
	if n.peers, err = peers.Join(n.conn, o.Node, n.gateway); err != nil {
		return err
	}
	n.senders = upstream.NewSenders(connectTime)
	n.watcher = watch.New(watch.Options{
		Conn: n.conn, Node: o.Node, Current: &n.current, Trust: o.Trust, Dir: o.StateDir, Status: n.status, Log: o.Log,
		Builder: &snapshot.Builder{Senders: n.senders, Secret: o.Secret, Timeouts: o.Timeouts, Breaker: o.Breaker, StandIns: o.StandIns, Limits: registry, Metrics: o.Gateway.Metrics, Log: o.Log},
	})
	g := newGauges(n)
	o.Metrics.MustRegister(g)
	o.Metrics.Add(g.write)
	return nil
}

// openSpool opens the spool in the node's directory. The spool's epoch names the numbers of the usage events.
func (n *Node) openSpool() (err error) {
	if n.o.StateDir == "" {
		return nil
	}
	if n.spool, err = spool.Open(spool.Options{Dir: filepath.Join(n.o.StateDir, "spool"), Limit: n.o.SpoolLimit, Sync: n.o.SpoolSync, Log: n.o.Log}); err != nil {
		return fmt.Errorf("STATE_DIR: %w", err)
	}
	n.cleanups.Push("spool", func(context.Context) error { return n.spool.Close() })
	return nil
}

// suspect notifies the meter whenever NATS comes back: its storage may be another.
func (n *Node) suspect(ctx context.Context) {
	connected := n.conn.StatusChanged(nats.CONNECTED)
	defer n.conn.RemoveStatusListener(connected)
	for {
		select {
		case <-ctx.Done():
			return
		case <-connected:
			n.meter.Suspect()
		}
	}
}

// commits takes in what the collector says of this node's events.
func (n *Node) commits(m *nats.Msg) {
	r, err := wire.DecodeReceipt(m.Data)
	if err != nil {
		n.o.Log.Warn("unusable receipt", slog.String("error", err.Error()))
		return
	}
	if n.spool == nil { // the meter has no name for its numbers then
		for _, list := range [][]wire.Range{r.Ranges, r.Dead} {
			for i := range list {
				if list[i].Epoch == n.instance {
					list[i].Epoch = ""
				}
			}
		}
	}
	n.committed.Store(time.Now().UnixMilli())
	n.meter.Committed(r)
}

// Addr is the address of the API.
func (n *Node) Addr() string { return n.gateway.Addr() }

// Name is the node's id, with the number of its place.
func (n *Node) Name() string { return n.o.Node }

// Current is the snapshot in service.
func (n *Node) Current() *snapshot.Snapshot { return n.current.Load() }

// Reload looks all secrets up again and serves with what they are now, which
// takes a moment. Requests that are running keep what they have.
func (n *Node) Reload() { n.watcher.Reload() }

// Run serves until ctx is done, then drains: streams finish, then the usage
// events are handed over, then NATS is left.
func (n *Node) Run(ctx context.Context) error {
	outlive, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go n.suspect(outlive)
	go (&memory{inFlight: n.gateway.InFlight, used: usedMemory, free: freeMemory}).run(outlive)
	watched, metered, probed, limited := make(chan error, 1), make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { watched <- n.watcher.Run(outlive) }()
	go func() { probed <- probe.New(&n.current, n.o.Log).Run(outlive) }()
	go func() { metered <- n.meter.Run(outlive, n.o.Flush, n.send) }()
	go func() { limited <- n.limits.Run(outlive) }()
	n.awaitRelease(ctx)
	err := n.gateway.Run(ctx)
	stop()
	err = errors.Join(err, <-limited, <-watched, <-metered, <-probed)
	return errors.Join(err, n.cleanups.Unwind(context.WithoutCancel(ctx)))
}

// awaitRelease holds connections in the listener's queue until there is a
// release: a load balancer that finds a new node by its name sends it requests
// at once. Without NATS there is nothing to wait for, and /health has to say so.
func (n *Node) awaitRelease(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, n.o.Await)
	defer cancel()
	for n.current.Load().Release == 0 && n.conn.IsConnected() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(awaitPoll):
		}
	}
}

// send stores a batch of usage events in JetStream.
func (n *Node) send(ctx context.Context, b meter.Batch) error {
	if !n.conn.IsConnected() {
		return errors.New("NATS is unreachable")
	}
	ctx, cancel := context.WithTimeout(ctx, ackTime)
	defer cancel()
	start := time.Now()
	msg, err := bus.EncodeFrame(bus.Frame{Node: n.o.Node, Epoch: cmp.Or(b.Epoch, n.instance), First: b.First, Last: b.Last, Lines: b.Lines, Attempt: b.Attempt})
	if err != nil {
		return err
	}
	if err := bus.PublishFrame(ctx, n.conn, msg); err != nil {
		return err
	}
	n.o.Tracing.Published(b.Lines, msg.Subject, start)
	return nil
}

// status fills the node's heartbeat.
func (n *Node) status(s *wire.NodeStatus) {
	s.Node, s.Instance, s.Version, s.Started = n.o.Node, n.instance, n.o.Version, n.started.UnixMilli()
	s.Draining, s.InFlight, s.Requests, s.Usage = n.gateway.Draining(), n.gateway.InFlight(), n.gateway.Requests(), n.meter.Counts()
	s.Troubled, s.Notes = n.current.Load().Troubled(time.Now()), n.notes()
}

// notes says what is wrong with STATE_DIR, with what the control plane has
// published, and with shares of limits.
func (n *Node) notes() []string {
	notes := n.watcher.Notes()
	if n.limits.Registry.Outage() {
		notes = append(notes, "no daemon grants shares of limits: each limit's on_outage applies")
	}
	if n.o.StateDir == "" {
		return notes
	}
	for _, text := range [...]string{n.meter.Storage(), disk.Low(n.o.StateDir)} {
		if text != "" {
			notes = append(notes, text)
		}
	}
	return notes
}

// report adds to /health what the node knows of the control plane.
func (n *Node) report() gateway.Report {
	control, notes := n.watcher.Control()
	return gateway.Report{Control: control, Notes: append(notes, n.notes()...)}
}

// newInstance names this start of the process: the epoch of its event numbers.
func newInstance() string {
	return strconv.FormatInt(time.Now().UnixMilli(), 36) + strconv.FormatUint(rand.Uint64(), 36)
}
