// Package publish makes changes of the routing and keeps what NATS holds in
// step with the control state. A change is committed in the database first and
// published after that, so that nothing is ever in service that the database
// does not know; what is committed while NATS is away is published when it is
// back, and what NATS loses is put there again.
package publish

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// Options are what a Publisher needs. All but Replicas and Signer are required.
type Options struct {
	Conn *nats.Conn
	// Open opens the control state. It is tried again until it succeeds.
	Open func(context.Context) (*controlstate.State, error)
	// Files is where the configuration is.
	Files Files
	// Replicas of the bucket in NATS: 1 (default), or 3 in a cluster.
	Replicas int
	// Signer signs releases and key tables; nil leaves them unsigned.
	Signer *bus.Signer
	Log    *slog.Logger
}

// ErrNoDatabase means that the control state has not been reached since the
// process started.
var ErrNoDatabase = errors.New("the database of the control state is unreachable; retrying")

const (
	// period is that of beats and of the comparison with the database and NATS.
	period = time.Second
	// roundTime bounds one comparison.
	roundTime = 5 * time.Second
	// maxTable is the size of a key table, in bytes, up to which the beat that
	// announces it carries it.
	maxTable = 64 << 10
	// signerTime is how long a document of another signer counts.
	signerTime = 10 * time.Second
)

// Publisher owns the current release and key table. Create it with New.
type Publisher struct {
	o    Options
	kick chan struct{}
	// ready is closed when the first release is in the database.
	ready chan struct{}

	db      atomic.Pointer[controlstate.State]
	release atomic.Pointer[wire.Release]
	table   atomic.Pointer[wire.KeyTable]
	// rollouts are those that have not ended.
	rollouts atomic.Pointer[[]controlstate.Rollout]
	// canary is the one that is running.
	canary atomic.Pointer[controlstate.Canary]
	// prepared is the last committed release as it was checked before the commit.
	prepared atomic.Pointer[document]
	// published are the versions that NATS holds.
	published atomic.Pointer[versions]

	// changing is held by whoever makes a change.
	changing sync.Mutex

	// the rest belongs to Run's goroutine
	link link
}

// New returns a publisher that does nothing before Run.
func New(o Options) *Publisher {
	return &Publisher{o: o, kick: make(chan struct{}, 1), ready: make(chan struct{}), link: newLink(o.Log)}
}

// Run opens the state, commits the configuration if it has changed since the
// last start, and publishes until ctx is done. It returns an error only when
// there is nothing to publish: the configuration is broken, and no release was
// ever made.
func (p *Publisher) Run(ctx context.Context) error {
	defer p.close()
	if err := p.prepare(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	close(p.ready)
	connected := p.o.Conn.StatusChanged(nats.CONNECTED)
	defer p.o.Conn.RemoveStatusListener(connected)
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		p.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-p.kick:
		case <-connected:
			p.link.mark = nil // whatever it is connected to now
		}
	}
}

func (p *Publisher) close() {
	if db := p.db.Swap(nil); db != nil {
		if err := db.Close(); err != nil {
			p.o.Log.Warn("failed to close the control state", slog.String("error", err.Error()))
		}
	}
}

// prepare waits for the database and settles which release is current.
func (p *Publisher) prepare(ctx context.Context) error {
	t := newTrouble(p.o.Log, "the control state is unavailable; retrying")
	for {
		err := p.start(ctx)
		if _, broken := errors.AsType[config.Problems](err); broken {
			return err
		}
		if err == nil || ctx.Err() != nil {
			t.report(err)
			return err
		}
		t.report(err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(period):
		}
	}
}

// Ready is closed once there is a release.
func (p *Publisher) Ready() <-chan struct{} { return p.ready }

// Current returns the release in service, nil before the first.
func (p *Publisher) Current() *wire.Release { return p.release.Load() }

// KeyTable returns the newest key table, nil before the first.
func (p *Publisher) KeyTable() *wire.KeyTable { return p.table.Load() }

// Published returns the versions that NATS holds, as far as known; zero before
// anything was published.
func (p *Publisher) Published() controlstate.Heads {
	return p.stored().Heads
}

// versions are those of the documents in NATS; canary is 0 while none is to be served.
type versions struct {
	controlstate.Heads
	canary uint64
}

func (p *Publisher) stored() versions {
	if v := p.published.Load(); v != nil {
		return *v
	}
	return versions{}
}

// State returns the control state, ErrNoDatabase before it was reached.
func (p *Publisher) State() (*controlstate.State, error) {
	if db := p.db.Load(); db != nil {
		return db, nil
	}
	return nil, ErrNoDatabase
}

// Troubles say what keeps the publisher from storing releases in NATS, and that
// another daemon signs them with another key; "" for nothing.
func (p *Publisher) Troubles() (storing, signing string) {
	return p.link.storing.now(), p.link.signing.now()
}

// Kick has the database looked at now rather than within a second.
func (p *Publisher) Kick() {
	select {
	case p.kick <- struct{}{}:
	default: // one is waiting already
	}
}

// start opens the state and brings a changed configuration into it.
func (p *Publisher) start(ctx context.Context) error {
	if p.db.Load() == nil {
		db, err := p.o.Open(ctx)
		if err != nil {
			return err
		}
		p.db.Store(db)
	}
	db := p.db.Load()
	current, err := db.Current(ctx)
	if err != nil {
		return err
	}
	p.release.Store(current)
	return p.adopt(ctx, db, current)
}

// adopt commits the files when they are not those of the last start. Weights
// and contents that came over the admin API thus outlive a restart, until
// someone edits the files.
func (p *Publisher) adopt(ctx context.Context, db *controlstate.State, current *wire.Release) error {
	files, warnings, err := p.o.Files.load(nil, nil)
	if err == nil {
		_, err = compiled(files, &basis{current: current}, false)
	}
	p.tell(ctx, warnings)
	var broken config.Problems
	if errors.As(err, &broken) && current != nil {
		p.o.Log.Error("invalid configuration; keeping the last release", slog.Uint64("release", current.Number), slog.Int("problems", len(broken)))
		for _, one := range broken {
			p.o.Log.Error("configuration", slog.String("problem", one.String()))
		}
		return nil
	}
	if err != nil {
		return err
	}
	last, err := db.Files(ctx)
	if err != nil {
		return err
	}
	if sum, err := digest(files); err != nil || current != nil && sum == last {
		return err
	}
	_, err = p.Apply(ctx, Change{Author: "controlplane", Reason: "configuration at start"}, Source{})
	return err
}

func (p *Publisher) tell(ctx context.Context, warnings []config.Warning) {
	for _, w := range warnings {
		level := slog.LevelWarn
		if len(w.Unset) > 0 { // how an endpoint is switched off; `gatewayctl endpoints list --out` lists them
			level = slog.LevelDebug
		}
		p.o.Log.Log(ctx, level, "configuration", slog.String("note", w.String()))
	}
}
