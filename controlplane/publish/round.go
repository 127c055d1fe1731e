package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// link is what Run knows of the database and of NATS.
type link struct {
	// release and keys are the newest documents of the database.
	release, keys *document
	// canary is the document of the one that is running, nil if none is.
	canary *document
	// announced is the key table that a beat has carried.
	announced *document
	// rollouts is the version of those that were read last.
	rollouts uint64
	// mark is the bucket's while it was found to hold both documents; nil: look.
	mark *bus.Mark
	// behind: the last attempt found something newer in the bucket.
	behind bool
	// reading, storing and signing have their own troubles.
	reading, storing, signing *trouble
	// replaced is when a document of ours was last found to be replaced by one
	// with another signature.
	replaced time.Time
}

func newLink(log *slog.Logger) link {
	return link{
		reading: newTrouble(log, "failed to read the control state; published documents stay in effect"),
		storing: newTrouble(log, "failed to publish to NATS; retrying"),
		signing: newTrouble(log, "releases in NATS are signed with different keys"),
	}
}

// round brings NATS in step with the database and announces what it holds.
// Without a database it keeps NATS in step with what was read last.
func (p *Publisher) round(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	err := p.learn(ctx)
	if ctx.Err() == nil || err == nil {
		p.link.reading.report(err)
	}
	ctx, done := whileConnected(ctx, p.o.Conn)
	defer done()
	if !p.o.Conn.IsConnected() {
		return // the connection itself has told
	}
	if time.Since(p.link.replaced) > signerTime {
		p.link.signing.report(nil)
	}
	if err := p.store(ctx); err == nil || ctx.Err() == nil {
		p.link.storing.report(err)
	}
	p.beat()
}

// whileConnected returns a context that ends when the connection is lost: the
// answer to a request that was under way then never comes.
func whileConnected(ctx context.Context, nc *nats.Conn) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	lost := nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-lost:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel()
		watch.Wait()
		nc.RemoveStatusListener(lost)
	}
}

// learn reads from the database what is newer than what is known.
func (p *Publisher) learn(ctx context.Context) error {
	db := p.db.Load()
	heads, err := db.Heads(ctx)
	if err != nil {
		return err
	}
	if err := p.learnRelease(ctx, db, heads.Release); err != nil {
		return err
	}
	if err := p.learnRollouts(ctx, db, heads.Rollouts); err != nil {
		return err
	}
	if p.link.keys.is(db.Epoch(), heads.Keys) {
		return nil
	}
	table, err := db.KeyTable(ctx)
	if err != nil {
		return err
	}
	keys, err := p.sealKeys(table)
	if err != nil {
		return err
	}
	p.link.keys = keys
	p.table.Store(table)
	return nil
}

func (p *Publisher) learnRelease(ctx context.Context, db *controlstate.State, number uint64) error {
	if p.link.release.is(db.Epoch(), number) || number == 0 {
		return nil
	}
	if d := p.prepared.Load(); d.is(db.Epoch(), number) {
		p.link.release = d
		return nil
	}
	r, err := db.Current(ctx)
	if err != nil || r == nil {
		return err
	}
	d, err := p.sealRelease(r)
	if err != nil {
		return err
	}
	p.link.release = d
	p.adoptNewer(r)
	return nil
}

// adoptNewer takes over a release that another daemon committed.
func (p *Publisher) adoptNewer(r *wire.Release) {
	p.changing.Lock()
	defer p.changing.Unlock()
	if have := p.release.Load(); have == nil || have.Epoch != r.Epoch || have.Number < r.Number {
		p.release.Store(r)
	}
}

// store puts into the bucket what is not there.
func (p *Publisher) store(ctx context.Context) error {
	l := &p.link
	docs, versions := l.documents()
	before, err := bus.ConfigMark(ctx, p.o.Conn)
	if err != nil && !errors.Is(err, bus.ErrNoDocument) {
		return err
	}
	if l.mark != nil && *l.mark == before && versions == p.stored() {
		return nil
	}
	known := l.mark != nil && *l.mark == before // the bucket is as it was left
	if !known {
		if _, err := bus.EnsureConfig(ctx, p.o.Conn, p.o.Replicas); err != nil {
			return err
		}
	}
	if !known && versions == p.stored() {
		p.checkSigner(ctx, docs)
	}
	l.mark = nil
	var errs []error
	for _, d := range docs {
		if known && p.holds(d) {
			continue
		}
		errs = append(errs, bus.Publish(ctx, p.o.Conn, d.key, d.sealed, p.o.Replicas))
	}
	if err := errors.Join(errs...); err != nil {
		return p.overtaken(err)
	}
	l.behind = false
	p.published.Store(&versions)
	// Only if there was no write, not even by this round, was all of it seen together;
	// otherwise the next round looks again.
	if after, err := bus.ConfigMark(ctx, p.o.Conn); err == nil && after == before {
		l.mark = &after
	}
	return nil
}

// checkSigner compares the signatures in the bucket, to which this daemon has
// published, with its own. Two daemons that disagree replace each other's
// documents every second: it is over when that has stopped.
func (p *Publisher) checkSigner(ctx context.Context, docs []*document) {
	for _, d := range docs {
		theirs, err := bus.Fetch(ctx, p.o.Conn, d.key)
		if err != nil {
			continue // publishing finds out
		}
		if key, ok := bus.OtherSigner(theirs, d.sealed); ok {
			p.link.replaced = time.Now()
			p.link.signing.report(fmt.Errorf("another daemon publishes documents signed with %s, this one signs with %s: all daemons must have the same RELEASE_SIGNING_KEY, and the nodes its RELEASE_PUBLIC_KEY", key, p.o.Signer.Name()))
			return
		}
	}
}

// holds reports whether a document is the one that was published last.
func (p *Publisher) holds(d *document) bool {
	at := p.stored()
	return d.key == wire.ReleaseKey && d.gen == at.Release || d.key == wire.KeyTableKey && d.gen == at.Keys || d.key == wire.CanaryKey && d.gen == at.canary
}

func (l *link) documents() (docs []*document, versions versions) {
	if l.release != nil {
		docs, versions.Release = append(docs, l.release), l.release.gen
	}
	if l.keys != nil {
		docs, versions.Keys = append(docs, l.keys), l.keys.gen
	}
	if l.canary != nil {
		docs, versions.canary = append(docs, l.canary), l.canary.gen
	}
	return docs, versions
}

// overtaken forgives once that another daemon was faster: the next round reads
// what it committed. When that does not help, NATS holds what the database
// does not know, as after the restoration of an old backup.
func (p *Publisher) overtaken(err error) error {
	first := errors.Is(err, bus.ErrNewer) && !p.link.behind
	p.link.behind = errors.Is(err, bus.ErrNewer)
	if first {
		p.Kick()
		return nil
	}
	if p.link.behind {
		err = fmt.Errorf("%w; if a backup of the database was restored, run `controlplane after-restore` and restart the daemons", err)
	}
	return err
}

// beat announces what is in the bucket. It is not answered, and one that is
// lost is followed by the next.
func (p *Publisher) beat() {
	at := p.published.Load()
	if at == nil {
		return
	}
	b := wire.Beat{Epoch: p.db.Load().Epoch(), Release: at.Release, Keys: at.Keys, Time: time.Now().UnixMilli(), Watch: p.watched()}
	if d := p.link.release; d.is(b.Epoch, at.Release) {
		b.Hash = d.hash
	}
	if d := p.link.canary; d.is(b.Epoch, at.canary) && at.canary > at.Release {
		b.Canary = &wire.CanaryNotice{Number: d.gen, Hash: d.hash, Nodes: d.nodes}
	}
	if d := p.link.keys; d != p.link.announced && d.is(b.Epoch, at.Keys) {
		p.link.announced = d
		if len(d.sealed) <= maxTable {
			b.Table = d.sealed
		}
	}
	msg, err := b.Encode()
	if err == nil {
		err = p.o.Conn.Publish(wire.BeatSubject, msg)
	}
	if err != nil && p.o.Conn.IsConnected() {
		p.o.Log.Warn("failed to send a heartbeat", slog.String("error", err.Error()))
	}
}
